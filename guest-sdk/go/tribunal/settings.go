package tribunal

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Schema is what is understood of JSON Schema.
type Schema struct {
	Description string  `json:"description,omitempty"`
	Type        string  `json:"type,omitempty"`
	Enum        []any   `json:"enum,omitempty"`
	Items       *Schema `json:"items,omitempty"`
	// Properties are those of an object. Other keys are errors.
	Properties map[string]Schema `json:"properties,omitempty"`
	Required   []string          `json:"required,omitempty"`
	Minimum    *float64          `json:"minimum,omitempty"`
	Maximum    *float64          `json:"maximum,omitempty"`
	MinLength  int               `json:"minLength,omitempty"`
	MinItems   int               `json:"minItems,omitempty"`
	Default    any               `json:"default,omitempty"`
	Closed     *bool             `json:"additionalProperties,omitempty"`
}

// Number is a bound of a schema.
func Number(value float64) *float64 { return &value }

// text is the schema of a table; empty where there are no settings.
func (s Schema) text() string {
	if len(s.Properties) == 0 {
		return ""
	}
	s.Type = "object"
	s.close()
	text, err := json.Marshal(s)
	if err != nil {
		panic("the schema of the settings is none: " + err.Error())
	}
	return string(text)
}

// close says to those who read the schema that a misspelt key is an error.
func (s *Schema) close() {
	if s.Properties != nil {
		s.Closed = new(bool)
	}
	for key, part := range s.Properties {
		part.close()
		s.Properties[key] = part
	}
	if s.Items != nil {
		s.Items.close()
	}
}

// parseSettings gives the settings with defaults as JSON, or all that is wrong with them.
func parseSettings(schemaText, text string) ([]byte, []string) {
	var given any
	if err := json.Unmarshal([]byte(text), &given); err != nil {
		return nil, []string{"the settings are not JSON: " + err.Error()}
	}
	if _, isTable := given.(map[string]any); !isTable {
		return nil, []string{"the settings are not a JSON object: write them as a table"}
	}
	var whole Schema
	if schemaText != "" {
		if err := json.Unmarshal([]byte(schemaText), &whole); err != nil {
			panic("the schema of the settings is none: " + err.Error())
		}
	}
	var faults []string
	checked, err := json.Marshal(whole.check(given, "", &faults))
	if err != nil {
		panic(err)
	}
	return checked, faults
}

func (s Schema) check(value any, path string, faults *[]string) any {
	if fault := s.fault(value); fault != "" {
		*faults = append(*faults, fmt.Sprintf("`%s`: %s", path, fault))
		return value
	}
	switch value := value.(type) {
	case []any:
		if s.Items != nil {
			for i := range value {
				value[i] = s.Items.check(value[i], fmt.Sprintf("%s.%d", path, i), faults)
			}
		}
	case map[string]any:
		s.checkTable(value, path, faults)
	}
	return value
}

func (s Schema) checkTable(table map[string]any, path string, faults *[]string) {
	under := ""
	if path != "" {
		under = path + "."
	}
	for _, key := range s.Required {
		if _, is := table[key]; !is {
			*faults = append(*faults, fmt.Sprintf("`%s%s` is missing", under, key))
		}
	}
	known := slices.Sorted(maps.Keys(s.Properties))
	for _, key := range slices.Sorted(maps.Keys(table)) {
		if part, is := s.Properties[key]; is {
			table[key] = part.check(table[key], under+key, faults)
		} else {
			*faults = append(*faults, fmt.Sprintf("`%s%s`: unknown key: %s", under, key, expected(known)))
		}
	}
	for _, key := range known {
		if _, is := table[key]; !is && s.Properties[key].Default != nil {
			table[key] = s.Properties[key].Default
		}
	}
}

func (s Schema) fault(value any) string {
	kind := kindOf(value)
	if s.Type != "" && s.Type != kind && !(s.Type == "number" && kind == "integer") {
		return fmt.Sprintf("invalid type: %s, expected %s", kind, s.Type)
	}
	if s.Enum != nil && !slices.ContainsFunc(s.Enum, func(one any) bool { return reflect.DeepEqual(one, value) }) {
		return fmt.Sprintf("unknown value %q, %s", fmt.Sprint(value), expected(s.Enum))
	}
	size := 0
	switch value := value.(type) {
	case float64:
		if s.Minimum != nil && value < *s.Minimum {
			return fmt.Sprintf("%v is too small: it must be at least %v", value, *s.Minimum)
		}
		if s.Maximum != nil && value > *s.Maximum {
			return fmt.Sprintf("%v is too large: it must be at most %v", value, *s.Maximum)
		}
		return ""
	case string:
		size = len([]rune(value)) - s.MinLength
	case []any:
		size = len(value) - s.MinItems
	}
	if size < 0 {
		return "it is too short"
	}
	return ""
}

func expected[T any](words []T) string {
	if len(words) == 0 {
		return "there are none"
	}
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = fmt.Sprintf("`%v`", word)
	}
	return "expected " + strings.Join(quoted, ", ")
}

func kindOf(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case float64:
		if value == float64(int64(value)) {
			return "integer"
		}
		return "number"
	default:
		return "object"
	}
}
