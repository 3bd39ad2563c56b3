package example.warehouse;

import java.util.ArrayDeque;
import java.util.Deque;

import example.warehouse.orders.Order;

/** A place for parcels. It fills orders, and an order remembers its shelf: a cycle. */
public class Shelf {
    private final Deque<Parcel> parcels = new ArrayDeque<>();

    public void put(Parcel parcel) {
        parcels.addLast(parcel);
    }

    public boolean fill(Order order) {
        for (Parcel parcel : parcels) {
            if (order.accepts(parcel)) {
                parcels.remove(parcel);
                return true;
            }
        }
        return false;
    }
}
