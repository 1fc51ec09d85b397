// Package truth writes down what values are in words of its own, for a debugger's to be compared with.
package truth

import (
	"fmt"
	"os"
	"reflect"
	"sort"
	"strconv"
	"strings"
)

// A Probe is a value, and what it is.
type Probe struct {
	Name  string
	Value any
	Truth string
}

// Probes are what the program panics with, so that they are found without debug information.
var Probes []Probe

// Add takes a value whose truth is told by reflection.
func Add(name string, value any) {
	Probes = append(Probes, Probe{name, value, Of(reflect.ValueOf(value), 0)})
}

// Say takes a value whose truth is given.
func Say(name string, value any, truth string) {
	Probes = append(Probes, Probe{name, value, truth})
}

// Die prints the truths and crashes.
func Die() {
	Print()
	panic(&Probes)
}

// Print writes the truths, one a line.
func Print() {
	for _, p := range Probes {
		fmt.Fprintf(os.Stderr, "truth %s = %s\n", p.Name, strconv.Quote(p.Truth))
	}
}

// Of is the value in full: lists [a,b], structs {F:a}, maps {k:v} in the order of their keys' texts.
func Of(v reflect.Value, depth int) string {
	if depth > 8 {
		return "..."
	}
	switch v.Kind() {
	case reflect.Invalid:
		return "nil"
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return strconv.FormatUint(v.Uint(), 10)
	case reflect.Float32:
		return strconv.FormatFloat(v.Float(), 'f', -1, 32)
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'f', -1, 64)
	case reflect.Complex64, reflect.Complex128:
		bits := v.Type().Bits() / 2
		c := v.Complex()
		return "(" + strconv.FormatFloat(real(c), 'f', -1, bits) + " + " + strconv.FormatFloat(imag(c), 'f', -1, bits) + "i)"
	case reflect.String:
		return strconv.Quote(v.String())
	case reflect.Slice:
		if v.IsNil() {
			return "nil"
		}
		return list(v, depth)
	case reflect.Array:
		return list(v, depth)
	case reflect.Struct:
		var parts []string
		for i := 0; i < v.NumField(); i++ {
			parts = append(parts, v.Type().Field(i).Name+":"+Of(v.Field(i), depth+1))
		}
		return "{" + strings.Join(parts, ",") + "}"
	case reflect.Map:
		if v.IsNil() {
			return "nil"
		}
		var parts []string
		for it := v.MapRange(); it.Next(); {
			parts = append(parts, Of(it.Key(), depth+1)+":"+Of(it.Value(), depth+1))
		}
		sort.Strings(parts)
		return "{" + strings.Join(parts, ",") + "}"
	case reflect.Ptr:
		if v.IsNil() {
			return "nil"
		}
		return "&" + Of(v.Elem(), depth+1)
	case reflect.Interface:
		if v.IsNil() {
			return "nil"
		}
		return v.Elem().Type().String() + "(" + Of(v.Elem(), depth+1) + ")"
	case reflect.Func, reflect.UnsafePointer:
		return fmt.Sprintf("0x%x", v.Pointer())
	case reflect.Chan:
		if v.IsNil() {
			return "nil"
		}
		return fmt.Sprintf("chan %d/%d", v.Len(), v.Cap())
	}
	return "?"
}

func list(v reflect.Value, depth int) string {
	var parts []string
	for i := 0; i < v.Len(); i++ {
		parts = append(parts, Of(v.Index(i), depth+1))
	}
	return "[" + strings.Join(parts, ",") + "]"
}
