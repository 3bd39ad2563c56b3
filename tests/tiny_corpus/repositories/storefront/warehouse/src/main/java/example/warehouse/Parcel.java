package example.warehouse;

/** Something that is sent; its weight is in grams. */
public record Parcel(String article, int grams) {
    public boolean isHeavy() {
        return grams > 20_000;
    }
}
