namespace Storefront.Sales
{
    /// <summary>One line of a receipt.</summary>
    public record Sale(string Article, int Pieces, decimal Price);
}
