// Prints, for a folder of Go source, which file uses a package-level name that which other file declares, as go/types
// resolves it: lines `names <file> <file>`, `members <file> <file>` for methods and fields, `seen <file>`.
// Every package is checked once for each of several systems, since build constraints hide files from the others.
// Packages from outside of the folder are the standard library's, or empty.
package main

import (
	"bufio"
	"fmt"
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
)

var systems = [][2]string{
	{"linux", "amd64"}, {"darwin", "arm64"}, {"windows", "amd64"}, {"freebsd", "amd64"}, {"js", "wasm"}, {"plan9", "386"},
}
var modulePath = regexp.MustCompile(`(?m)^module\s+"?([^\s"]+)`)

type folder struct{ base, tests, external []*ast.File }

type checker struct {
	root     string
	files    *token.FileSet
	standard types.Importer
	modules  map[string]string // folder -> module path
	folders  map[string]*folder
	paths    map[string]string // import path -> folder
	done     map[string]*types.Package
	lines    map[string]bool
}

func main() {
	root, err := filepath.Abs(os.Args[1])
	if err != nil {
		panic(err)
	}
	lines := map[string]bool{}
	build.Default.CgoEnabled = false
	set := token.NewFileSet()
	standard := importer.ForCompiler(set, "source", nil)
	for _, system := range systems {
		check(root, set, standard, system, lines)
	}
	var sorted []string
	for line := range lines {
		sorted = append(sorted, line)
	}
	sort.Strings(sorted)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for _, line := range sorted {
		fmt.Fprintln(out, line)
	}
}

func check(root string, set *token.FileSet, standard types.Importer, system [2]string, lines map[string]bool) {
	c := &checker{root, set, standard, map[string]string{}, map[string]*folder{}, map[string]string{},
		map[string]*types.Package{}, lines}
	context := build.Default
	context.GOOS, context.GOARCH = system[0], system[1]
	context.CgoEnabled = true
	c.read(&context)
	for name := range c.folders {
		c.paths[c.importPath(name)] = name
	}
	for path, name := range c.paths {
		found := c.folders[name]
		c.Import(path)
		c.use(path, append(append([]*ast.File{}, found.base...), found.tests...), nil)
		if len(found.external) > 0 {
			whole := c.use(path, append(append([]*ast.File{}, found.base...), found.tests...), nil)
			c.use(path+"_test", found.external, map[string]*types.Package{path: whole})
		}
	}
}

// Reads the files that the system builds.
func (c *checker) read(context *build.Context) {
	filepath.Walk(c.root, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return nil
		}
		name := filepath.Dir(path)
		if info.Name() == "go.mod" {
			content, _ := os.ReadFile(path)
			if found := modulePath.FindSubmatch(content); found != nil {
				c.modules[name] = string(found[1])
			}
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		if matches, err := context.MatchFile(name, info.Name()); err != nil || !matches {
			return nil
		}
		file, _ := parser.ParseFile(c.files, path, nil, 0)
		if file == nil || file.Name == nil {
			return nil
		}
		if c.folders[name] == nil {
			c.folders[name] = &folder{}
		}
		found := c.folders[name]
		switch {
		case !strings.HasSuffix(path, "_test.go"):
			found.base = append(found.base, file)
		case strings.HasSuffix(file.Name.Name, "_test"):
			found.external = append(found.external, file)
		default:
			found.tests = append(found.tests, file)
		}
		return nil
	})
}

func (c *checker) importPath(name string) string {
	for above := name; len(above) >= len(c.root); above = filepath.Dir(above) {
		if module, ok := c.modules[above]; ok {
			if inside := name[len(above):]; module == "std" {
				return strings.TrimPrefix(inside, "/")
			} else {
				return module + inside
			}
		}
		if at := strings.LastIndex(name, "/vendor/"); at >= 0 {
			return name[at+len("/vendor/"):]
		}
	}
	return strings.TrimPrefix(name, c.root+"/")
}

func (c *checker) Import(path string) (*types.Package, error) {
	if found, ok := c.done[path]; ok {
		return found, nil
	}
	name, ok := c.paths[path]
	if !ok {
		found, err := c.standard.Import(path)
		if err != nil || found == nil {
			found = types.NewPackage(path, path[strings.LastIndex(path, "/")+1:])
			found.MarkComplete()
		}
		c.done[path] = found
		return found, nil
	}
	c.done[path] = types.NewPackage(path, "cycle")
	c.done[path] = c.use(path, c.folders[name].base, nil)
	return c.done[path], nil
}

type overlay struct {
	*checker
	packages map[string]*types.Package
}

func (o overlay) Import(path string) (*types.Package, error) {
	if found, ok := o.packages[path]; ok {
		return found, nil
	}
	return o.checker.Import(path)
}

// Checks the files of one package and notes what they use.
func (c *checker) use(path string, files []*ast.File, packages map[string]*types.Package) *types.Package {
	byName := map[string][]*ast.File{}
	most := ""
	for _, file := range files {
		name := file.Name.Name
		byName[name] = append(byName[name], file)
		if len(byName[name]) > len(byName[most]) || (len(byName[name]) == len(byName[most]) && name < most) {
			most = name
		}
	}
	var found *types.Package
	for name, group := range byName {
		info := &types.Info{Uses: map[*ast.Ident]types.Object{}, Selections: map[*ast.SelectorExpr]*types.Selection{}}
		config := types.Config{Importer: overlay{c, packages}, Error: func(error) {}, FakeImportC: true}
		checked, _ := config.Check(path, c.files, group, info)
		if name == most {
			found = checked
		}
		for _, file := range group {
			c.lines["seen "+c.relative(file.Pos())] = true
		}
		for identifier, object := range info.Uses {
			c.note(identifier, object)
		}
	}
	if found == nil {
		found = types.NewPackage(path, path[strings.LastIndex(path, "/")+1:])
		found.MarkComplete()
	}
	return found
}

func (c *checker) note(identifier *ast.Ident, object types.Object) {
	if object.Pkg() == nil || !object.Pos().IsValid() {
		return
	}
	if _, isImport := object.(*types.PkgName); isImport {
		return
	}
	kind := "members"
	if object.Parent() == object.Pkg().Scope() {
		kind = "names"
	} else if object.Parent() != nil {
		return
	}
	from, to := c.relative(identifier.Pos()), c.relative(object.Pos())
	if from != to && to != "" && from != "" {
		c.lines[kind+" "+from+" "+to] = true
	}
}

func (c *checker) relative(position token.Pos) string {
	name := c.files.Position(position).Filename
	if !strings.HasPrefix(name, c.root+"/") {
		return ""
	}
	return name[len(c.root)+1:]
}
