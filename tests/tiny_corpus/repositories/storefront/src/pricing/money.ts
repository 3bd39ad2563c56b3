/** An amount of money, in the smallest unit of its currency. */
export interface Money {
  readonly amount: number;
  readonly currency: string;
}

export function add(one: Money, other: Money): Money {
  if (one.currency !== other.currency) {
    throw new Error(`cannot add ${other.currency} to ${one.currency}`);
  }
  return { amount: one.amount + other.amount, currency: one.currency };
}

export function times(money: Money, factor: number): Money {
  return { amount: Math.round(money.amount * factor), currency: money.currency };
}

export function written(money: Money): string {
  return `${(money.amount / 100).toFixed(2)} ${money.currency}`;
}
