const { Cart } = require("./cart");

/** Shows the page on which a cart is paid for. */
function open(cart) {
  if (!(cart instanceof Cart)) {
    throw new TypeError("expected a cart");
  }
  window.location.assign("/checkout");
}

module.exports = { open };
