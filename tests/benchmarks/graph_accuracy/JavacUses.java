import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.IdentifierTree;
import com.sun.source.tree.ImportTree;
import com.sun.source.tree.MemberSelectTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePath;
import com.sun.source.util.TreePathScanner;
import com.sun.source.util.Trees;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import javax.lang.model.element.Element;
import javax.lang.model.element.TypeElement;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * Prints, for the source roots of a project, which file names a type of which other file, as javac attributes it:
 * lines `names file file` and `seen file`. Source level, since class files have no constants and no imports.
 * Arguments: the project's folder, then source roots below it, which are one program together.
 */
public class JavacUses {
    public static void main(String[] arguments) throws Exception {
        Path project = Path.of(arguments[0]).toRealPath();
        List<File> files = new ArrayList<>();
        for (int i = 1; i < arguments.length; i++) {
            try (var found = Files.walk(project.resolve(arguments[i]))) {
                found.filter(path -> path.toString().endsWith(".java") && !path.endsWith("module-info.java"))
                        .sorted().forEach(path -> files.add(path.toFile()));
            }
        }
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StandardJavaFileManager manager = compiler.getStandardFileManager(null, null, null);
        List<String> options = List.of("-proc:none", "-XDshould-stop.ifError=FLOW", "-Xmaxerrs", "1");
        var task = (JavacTask) compiler.getTask(
                null, manager, diagnostic -> {}, options, null, manager.getJavaFileObjectsFromFiles(files));
        List<CompilationUnitTree> units = new ArrayList<>();
        task.parse().forEach(units::add);
        task.analyze();
        new Uses(project, Trees.instance(task)).print(units);
    }

    static class Uses extends TreePathScanner<Void, Void> {
        final Path project;
        final Trees trees;
        final TreeSet<String> lines = new TreeSet<>();
        String file;

        Uses(Path project, Trees trees) {
            this.project = project;
            this.trees = trees;
        }

        void print(List<CompilationUnitTree> units) {
            for (CompilationUnitTree unit : units) {
                file = relative(unit.getSourceFile());
                lines.add("seen " + file);
                scan(unit, null);
            }
            lines.forEach(System.out::println);
        }

        String relative(JavaFileObject source) {
            return project.relativize(Path.of(source.toUri())).toString();
        }

        @Override
        public Void visitIdentifier(IdentifierTree tree, Void nothing) {
            note();
            return super.visitIdentifier(tree, nothing);
        }

        @Override
        public Void visitMemberSelect(MemberSelectTree tree, Void nothing) {
            note();
            return super.visitMemberSelect(tree, nothing);
        }

        /** A type, or in an import the type around a static member, that is named at the current place. */
        void note() {
            Element element = trees.getElement(getCurrentPath());
            if (element instanceof TypeElement) {
                TreePath declaration = trees.getPath(element);
                if (declaration != null) {
                    String target = relative(declaration.getCompilationUnit().getSourceFile());
                    if (!target.equals(file)) {
                        lines.add("names " + file + " " + target);
                    }
                }
            }
        }
    }
}
