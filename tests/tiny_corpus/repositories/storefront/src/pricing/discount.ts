import { times } from "./money.js";
import type { Money } from "./money.js";

/** Takes a share of a price away from the tenth piece on. */
export function bulkDiscount(price: Money, pieces: number, share = 0.05): Money {
  return pieces < 10 ? price : times(price, 1 - share);
}
