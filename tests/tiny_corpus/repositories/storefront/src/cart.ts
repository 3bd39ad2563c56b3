import { add, bulkDiscount, times } from "@pricing/index";
import type { Money } from "@pricing/money";

export interface Line {
  readonly article: string;
  readonly price: Money;
  pieces: number;
}

/** What a customer is about to buy. */
export class Cart {
  private readonly lines = new Map<string, Line>();

  put(article: string, price: Money): void {
    const line = this.lines.get(article) ?? { article, price, pieces: 0 };
    line.pieces += 1;
    this.lines.set(article, line);
  }

  total(currency: string): Money {
    let sum: Money = { amount: 0, currency };
    for (const line of this.lines.values()) {
      sum = add(sum, times(bulkDiscount(line.price, line.pieces), line.pieces));
    }
    return sum;
  }
}
