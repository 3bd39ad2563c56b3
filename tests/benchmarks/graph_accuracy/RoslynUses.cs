// Prints, for the C# files below folders of a project, which file names a type of which other file, as Roslyn binds it:
// lines `names <file> <file>` and `seen <file>`, separated by tabs. All files are one compilation; references to
// libraries that are missing stay unbound. Every branch of `#if` is compiled, as if the directives were not there; a
// file that does not parse so is compiled as it is, with no symbol defined, and is not `seen`.
// Arguments: the folder of reference assemblies, the project's folder, then folders below it.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

static class RoslynUses
{
    static readonly Regex Condition = new Regex(@"^[ \t]*#[ \t]*(if|elif|else|endif|define|undef|error)\b.*$", RegexOptions.Multiline);

    static void Main(string[] arguments)
    {
        var root = Path.GetFullPath(arguments[1]);
        var whole = new HashSet<SyntaxTree>();
        var trees = arguments.Skip(2)
            .SelectMany(folder => Directory.GetFiles(Path.Combine(root, folder), "*.cs", SearchOption.AllDirectories))
            .Distinct().OrderBy(path => path, StringComparer.Ordinal).Select(path => Parse(path, whole)).ToList();
        var references = Directory.GetFiles(arguments[0], "*.dll").Select(IsManaged).Where(found => found != null);
        var compilation = CSharpCompilation.Create("all", trees, references,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true));
        var lines = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var tree in trees)
        {
            var file = Path.GetRelativePath(root, tree.FilePath);
            if (whole.Contains(tree)) lines.Add("seen\t" + file);
            var model = compilation.GetSemanticModel(tree);
            foreach (var name in tree.GetRoot().DescendantNodes().OfType<SimpleNameSyntax>())
                foreach (var type in Types(model.GetSymbolInfo(name)))
                    foreach (var declaration in type.DeclaringSyntaxReferences)
                    {
                        var target = Path.GetRelativePath(root, declaration.SyntaxTree.FilePath);
                        if (target != file) lines.Add("names\t" + file + "\t" + target);
                    }
        }
        foreach (var line in lines) Console.WriteLine(line);
    }

    static SyntaxTree Parse(string path, HashSet<SyntaxTree> whole)
    {
        var options = new CSharpParseOptions(LanguageVersion.Latest);
        var written = File.ReadAllText(path);
        var tree = CSharpSyntaxTree.ParseText(Condition.Replace(written, ""), options, path);
        if (tree.GetDiagnostics().All(found => found.Severity != DiagnosticSeverity.Error)) whole.Add(tree);
        else tree = CSharpSyntaxTree.ParseText(written, options, path);
        return tree;
    }

    static MetadataReference IsManaged(string path)
    {
        try { System.Reflection.AssemblyName.GetAssemblyName(path); }
        catch (BadImageFormatException) { return null; }
        return MetadataReference.CreateFromFile(path);
    }

    // The type that a name is bound to; the constructor of an attribute stands for its type.
    static IEnumerable<INamedTypeSymbol> Types(SymbolInfo info)
    {
        foreach (var symbol in info.Symbol != null ? new[] { info.Symbol } : info.CandidateSymbols.ToArray())
        {
            if (symbol is INamedTypeSymbol type) yield return type.OriginalDefinition;
            else if (symbol is IMethodSymbol method && method.MethodKind == MethodKind.Constructor)
                yield return method.ContainingType.OriginalDefinition;
        }
    }
}
