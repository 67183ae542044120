package web

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"idgate/views"
)

var (
	plainCode = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*:?$`)
	isField   = regexp.MustCompile(`^(code|wrong|Error|[A-Za-z]*Error)$`)
)

// codesOf collects, by what it is told in, every code that the sources name: of a problem (refuse) and of a field that is wrong. Of what a
// function returns the results called code or wrong count; of what is set, variables and fields of these names and entries of a map called
// wrong or Errors.
func codesOf(file *ast.File) (problems, fields map[string]token.Pos) {
	problems, fields = map[string]token.Pos{}, map[string]token.Pos{}
	put := func(in map[string]token.Pos, e ast.Expr) {
		for { // too_large: and a number
			b, ok := e.(*ast.BinaryExpr)
			if !ok {
				break
			}
			e = b.X
		}
		lit, ok := e.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return
		}
		if text, err := strconv.Unquote(lit.Value); err == nil && plainCode.MatchString(text) {
			in[strings.TrimSuffix(text, ":")] = lit.Pos()
		}
	}
	named := func(e ast.Expr) bool {
		switch e := e.(type) {
		case *ast.Ident:
			return isField.MatchString(e.Name)
		case *ast.SelectorExpr:
			return e.Sel.Name != "code" && isField.MatchString(e.Sel.Name) // a problem's own code is put down below
		case *ast.IndexExpr:
			switch x := e.X.(type) {
			case *ast.Ident:
				return x.Name == "wrong"
			case *ast.SelectorExpr:
				return x.Sel.Name == "wrong" || x.Sel.Name == "Errors"
			}
		}
		return false
	}
	// returned puts what a function's own returns give for the results that are codes, and leaves out the functions within it.
	returned := func(kind *ast.FuncType, body *ast.BlockStmt) {
		var at []int
		n := 0
		if kind.Results == nil || body == nil {
			return
		}
		for _, f := range kind.Results.List {
			for _, name := range f.Names {
				if isField.MatchString(name.Name) {
					at = append(at, n)
				}
				n++
			}
		}
		ast.Inspect(body, func(node ast.Node) bool {
			switch x := node.(type) {
			case *ast.FuncLit:
				return false
			case *ast.ReturnStmt:
				for _, i := range at {
					if i < len(x.Results) {
						put(fields, x.Results[i])
					}
				}
			}
			return true
		})
	}
	ast.Inspect(file, func(node ast.Node) bool {
		switch x := node.(type) {
		case *ast.FuncDecl:
			if slices.Contains(otherCodes, x.Name.Name) {
				return false
			}
			returned(x.Type, x.Body)
		case *ast.FuncLit:
			returned(x.Type, x.Body)
		case *ast.AssignStmt:
			for i, to := range x.Lhs {
				if len(x.Rhs) != len(x.Lhs) {
					continue
				}
				if sel, ok := to.(*ast.SelectorExpr); ok && sel.Sel.Name == "code" {
					put(problems, x.Rhs[i])
				} else if named(to) {
					put(fields, x.Rhs[i])
				}
			}
		case *ast.KeyValueExpr:
			if key, ok := x.Key.(*ast.Ident); ok && isField.MatchString(key.Name) {
				put(fields, x.Value)
			}
			if key, ok := x.Key.(*ast.Ident); ok && key.Name == "Errors" {
				if m, ok := x.Value.(*ast.CompositeLit); ok {
					for _, e := range m.Elts {
						put(fields, e.(*ast.KeyValueExpr).Value)
					}
				}
			}
		case *ast.CallExpr:
			switch f := x.Fun.(type) {
			case *ast.Ident:
				if f.Name == "refuse" && len(x.Args) == 3 {
					put(problems, x.Args[1])
				}
			case *ast.SelectorExpr:
				if f.Sel.Name == "refuse" && len(x.Args) == 2 {
					put(fields, x.Args[1])
				}
			}
		}
		return true
	})
	return problems, fields
}

// otherCodes are the functions whose codes have their words in another table: those of a dead link, and of what needs attention.
var otherCodes = []string{"deadLink", "budgetAttention"}

// opsCodes are problems that the operator's mail server meets, which logs what it is told.
var opsCodes = []string{"no_report", "not_ours"}

// shopperCodes are problems that nobody but a shopper's script meets: it is told them in the shopper's words, or for whoever wrote it.
var shopperCodes = []string{"buyer_unknown", "code_expired", "code_wrong", "document", "mail_down", "no_mailbox", "no_mails", "too_many", "too_soon"}

// TestEveryCodeHasWords: whoever is refused reads what is wrong and what to do, and never a code.
func TestEveryCodeHasWords(t *testing.T) {
	set := token.NewFileSet()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	problems, fields := map[string]token.Pos{}, map[string]token.Pos{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		p, f := codesOf(file)
		maps.Copy(problems, p)
		maps.Copy(fields, f)
	}
	for _, known := range []string{"not_an_order", "reason_required", "too_long", "unknown_choice", "not_a_mailbox", "not_whole", "no_event"} {
		if fields[known] == token.NoPos {
			t.Errorf("the search does not find the field's code %s", known)
		}
	}
	for _, known := range []string{"not_found", "bigcommerce_down", "suspended", "busy"} {
		if problems[known] == token.NoPos {
			t.Errorf("the search does not find the problem %s", known)
		}
	}
	for _, code := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains(views.FieldErrorCodes(), code) {
			t.Errorf("%s: the field's code %s has no words", set.Position(fields[code]), code)
		}
	}
	for _, code := range slices.Sorted(maps.Keys(problems)) {
		if code != "client_gone" && !slices.Contains(shopperCodes, code) && !slices.Contains(opsCodes, code) && !slices.Contains(views.ErrorCodes(), code) {
			t.Errorf("%s: the problem %s has no words", set.Position(problems[code]), code)
		}
	}
	for _, code := range slices.Concat(shopperCodes, opsCodes) {
		if problems[code] == token.NoPos {
			t.Errorf("nobody meets %s any more", code)
		}
	}
}
