package example.warehouse.orders;

import example.warehouse.*;

/** What a customer has bought, and the shelf that it is taken from. */
public class Order {
    private final String article;
    private final Shelf shelf;

    public Order(String article, Shelf shelf) {
        this.article = article;
        this.shelf = shelf;
    }

    public boolean accepts(Parcel parcel) {
        return parcel.article().equals(article) && !parcel.isHeavy();
    }

    public boolean send() {
        return shelf.fill(this);
    }
}
