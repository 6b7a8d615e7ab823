package config

import (
	"reflect"
	"strings"
)

// eachField visits the fields of a struct by their names in YAML.
func eachField(section reflect.Value, visit func(name string, value reflect.Value)) {
	for i := range section.NumField() {
		field := section.Type().Field(i)
		switch name, options, _ := strings.Cut(field.Tag.Get("yaml"), ","); {
		case options == "inline":
			eachField(section.Field(i), visit)
		case name != "" && name != "-":
			visit(name, section.Field(i))
		}
	}
}

// fieldNamed finds the field of a struct with that name in YAML.
func fieldNamed(section reflect.Value, wanted string) (field reflect.Value, ok bool) {
	eachField(section, func(name string, value reflect.Value) {
		if name == wanted {
			field, ok = value, true
		}
	})
	return field, ok
}

// eachKey visits everything that can be set, by its full key ("api.token").
func eachKey(section reflect.Value, visit func(key string, value reflect.Value)) {
	eachField(section, func(name string, value reflect.Value) {
		if value.Kind() != reflect.Struct {
			visit(name, value)
			return
		}
		eachKey(value, func(key string, inner reflect.Value) { visit(join(name, key), inner) })
	})
}

// nearest finds the word that was probably meant, "" if none is near.
func nearest(word string, known []string) string {
	best, distance := "", (len(word)+2)/3+1
	for _, candidate := range known {
		if d := editDistance(word, candidate); d < distance {
			best, distance = candidate, d
		}
	}
	return best
}

// editDistance counts the letters to add, drop or change to get from a to b.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
