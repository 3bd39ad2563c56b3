using System.Collections.Generic;
using System.Linq;
using Storefront.Sales;

namespace Storefront.Reports;

/// <summary>Sums up what was sold.</summary>
public class SalesReport
{
    private readonly List<Sale> sales = new();

    public void Add(Sale sale) => sales.Add(sale);

    public string Summary(string article)
    {
        var found = sales.Where(sale => sale.Article == article).ToList();
        return $"{article}: {found.Sum(sale => sale.Pieces)} pieces in {found.Count} sales";
    }
}
