/* Settings: their schema, and how they are read. See tribunal.h. It never guesses: what cannot be understood is a fault. */

#include <stdlib.h>
#include <string.h>

#include "tribunal.h"

/* Tables and lists within each other; the host's settings have few. */
#define DEPTH_MAX 32

/* Where the reader is. Once something is not JSON, `broken` stays. */
typedef struct {
  const uint8_t *at, *end;
  bool broken;
} reader_t;

typedef enum { A_TEXT, A_NUMBER, A_LIST, SOMETHING_ELSE } found_t;

static char next(reader_t *reader) {
  while (reader->at < reader->end && strchr(" \t\r\n", *reader->at) != NULL && *reader->at != 0) {
    reader->at++;
  }
  return reader->at < reader->end ? (char)*reader->at : 0;
}

static bool takes(reader_t *reader, char wanted) {
  if (next(reader) != wanted || wanted == 0) {
    return false;
  }
  reader->at++;
  return true;
}

static uint32_t hexadecimal(reader_t *reader) {
  uint32_t value = 0;
  for (int i = 0; i < 4; i++, reader->at++) {
    const char *digits = "0123456789abcdef", *digit;
    if (reader->at == reader->end || *reader->at == 0 || (digit = strchr(digits, *reader->at | 0x20)) == NULL) {
      reader->broken = true;
      return 0;
    }
    value = value * 16 + (uint32_t)(digit - digits);
  }
  return value;
}

static void put(text_t *text, uint32_t code) {
  if (code < 0x80) {
    text->ptr[text->len++] = (uint8_t)code;
    return;
  }
  int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  text->ptr[text->len++] = (uint8_t)((0xf00 >> more & 0xff) | code >> 6 * more);
  while (more-- > 0) {
    text->ptr[text->len++] = (uint8_t)(0x80 | (code >> 6 * more & 0x3f));
  }
}

static void escaped(reader_t *reader, text_t *text) {
  static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
  if (reader->at == reader->end) {
    reader->broken = true;
    return;
  }
  uint8_t letter = *reader->at++;
  const char *known = letter == 0 ? NULL : strchr(letters, letter);
  if (known != NULL) {
    put(text, (uint8_t)meant[known - letters]);
  } else if (letter == 'u') {
    uint32_t code = hexadecimal(reader);
    bool high = code >= 0xd800 && code < 0xdc00;
    if (high && reader->end - reader->at > 6 && reader->at[0] == '\\' && reader->at[1] == 'u') {
      reader->at += 2;
      code = 0x10000 + ((code - 0xd800) << 10) + (hexadecimal(reader) - 0xdc00);
    }
    put(text, code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0xfffd : code);
  } else {
    reader->broken = true;
  }
}

/* A text; the opening quote is next. */
static text_t quoted(reader_t *reader) {
  reader->at++;
  text_t text = {malloc((size_t)(reader->end - reader->at) + 4), 0};
  if (text.ptr == NULL) {
    abort();
  }
  while (!reader->broken && reader->at < reader->end && *reader->at != '"') {
    uint8_t byte = *reader->at++;
    if (byte == '\\') {
      escaped(reader, &text);
    } else {
      text.ptr[text.len++] = byte;
    }
  }
  reader->broken |= reader->at == reader->end;
  reader->at += !reader->broken;
  return text;
}

/* Goes over a value of any kind. */
static void skip(reader_t *reader, int depth) {
  char first = next(reader), last = first == '[' ? ']' : '}';
  if (first == '"') {
    quoted(reader);
  } else if ((first == '[' || first == '{') && depth < DEPTH_MAX) {
    reader->at++;
    for (bool more = next(reader) != last; more && !reader->broken; more = takes(reader, ',')) {
      if (first == '{') {
        skip(reader, depth + 1);
        reader->broken |= !takes(reader, ':');
      }
      skip(reader, depth + 1);
    }
    reader->broken |= !takes(reader, last);
  } else {
    const uint8_t *from = reader->at;
    while (reader->at < reader->end && strchr("+-.0123456789Eaeflnrstu", *reader->at) != NULL && *reader->at != 0) {
      reader->at++;
    }
    reader->broken |= reader->at == from;
  }
}

/* Reads a value of these kinds, and goes over all others. */
static found_t read_value(reader_t *reader, text_t *text, uint64_t *number, texts_t *list) {
  char first = next(reader);
  reader_t from = *reader;
  if (first == '"') {
    *text = quoted(reader);
    return A_TEXT;
  }
  if (first >= '0' && first <= '9') {
    bool fits = true;
    for (*number = 0; reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9'; reader->at++) {
      uint64_t digit = *reader->at - '0';
      fits &= *number <= (UINT64_MAX - digit) / 10;
      *number = *number * 10 + digit;
    }
    if (fits && (reader->at == reader->end || *reader->at == 0 || strchr(".eE", *reader->at) == NULL)) {
      return A_NUMBER;
    }
  }
  if (first == '[') {
    reader->at++;
    bool all_texts = true;
    for (bool more = next(reader) != ']'; more && all_texts && !reader->broken; more = takes(reader, ',')) {
      all_texts = next(reader) == '"';
      if (all_texts) {
        add_fault(list, quoted(reader));
      }
    }
    if (all_texts && takes(reader, ']')) {
      return A_LIST;
    }
  }
  *reader = from;
  skip(reader, 0);
  return SOMETHING_ELSE;
}

static text_t joined(const char *const *words, size_t count, const char *quote) {
  text_t all = text_of("");
  for (size_t i = 0; i < count; i++) {
    all = formatted("%.*s%s%s%s%s", SHOWN(all), i > 0 ? ", " : "", quote, words[i], quote);
  }
  return all;
}

static void take_value(const setting_t *setting, reader_t *reader, policy_list_string_t *faults) {
  text_t text = {0};
  uint64_t number = 0;
  texts_t list = {0};
  found_t found = read_value(reader, &text, &number, &list);
  switch (setting->kind) {
  case NUMBER_SETTING:
    if (found == A_NUMBER && number >= setting->min && number <= setting->max) {
      *setting->number = number;
      return;
    }
    add_fault(faults, formatted("`%s`: expected a whole number from %llu to %llu", setting->key,
                                (unsigned long long)setting->min, (unsigned long long)setting->max));
    return;
  case WORD_SETTING:
    for (size_t i = 0; found == A_TEXT && i < setting->words_count; i++) {
      if (text_is(text, setting->words[i])) {
        *setting->word = i;
        return;
      }
    }
    text = joined(setting->words, setting->words_count, "`");
    add_fault(faults, formatted("`%s`: expected one of %.*s", setting->key, SHOWN(text)));
    return;
  case TEXTS_SETTING:
    if (found == A_LIST) {
      *setting->texts = list;
      return;
    }
    add_fault(faults, formatted("`%s`: expected a list of texts", setting->key));
    return;
  }
}

bool read_settings(const about_t *about, text_t json, policy_list_string_t *faults) {
  reader_t reader = {json.ptr, json.ptr + json.len, false};
  *faults = (policy_list_string_t){0};
  if (!takes(&reader, '{')) {
    add_fault(faults, text_of("the settings are not a JSON object: write them as a table"));
    return false;
  }
  for (bool more = next(&reader) != '}'; more && !reader.broken; more = takes(&reader, ',')) {
    if (next(&reader) != '"') {
      reader.broken = true;
      break;
    }
    text_t key = quoted(&reader);
    reader.broken |= !takes(&reader, ':');
    const setting_t *known = NULL;
    for (size_t i = 0; i < about->settings_count; i++) {
      if (text_is(key, about->settings[i].key)) {
        known = &about->settings[i];
      }
    }
    if (known != NULL) {
      take_value(known, &reader, faults);
    } else {
      skip(&reader, 0);
      add_fault(faults, formatted("`%.*s`: unknown key", SHOWN(key)));
    }
  }
  if (reader.broken || !takes(&reader, '}') || next(&reader) != 0) {
    add_fault(faults, text_of("the settings are not JSON"));
  }
  return faults->len == 0;
}

text_t schema_of(const about_t *about) {
  text_t all = text_of("");
  for (size_t i = 0; i < about->settings_count; i++) {
    const setting_t *setting = &about->settings[i];
    text_t what = {0};
    switch (setting->kind) {
    case NUMBER_SETTING:
      what = formatted("\"type\": \"integer\", \"minimum\": %llu, \"maximum\": %llu, \"default\": %llu",
                       (unsigned long long)setting->min, (unsigned long long)setting->max,
                       (unsigned long long)*setting->number);
      break;
    case WORD_SETTING:
      what = joined(setting->words, setting->words_count, "\"");
      what = formatted("\"enum\": [%.*s], \"default\": \"%s\"", SHOWN(what), setting->words[*setting->word]);
      break;
    case TEXTS_SETTING:
      what = text_of("\"type\": \"array\", \"items\": {\"type\": \"string\"}, \"default\": []");
      break;
    }
    all = formatted("%.*s%s\"%s\": {\"description\": \"%s\", %.*s}", SHOWN(all), i > 0 ? ", " : "", setting->key,
                    setting->summary, SHOWN(what));
  }
  if (about->settings_count == 0) {
    return all;
  }
  return formatted("{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {%.*s}}", SHOWN(all));
}
