import { written } from "@pricing/money";

import { Cart } from "../cart";

export function CartButton({ cart, currency }: { cart: Cart; currency: string }) {
  const openCheckout = async () => {
    const checkout = await import("../checkout");
    checkout.open(cart);
  };
  return (
    <button className="cart-button" onClick={openCheckout}>
      Pay {written(cart.total(currency))}
    </button>
  );
}
