/* Answers, questions and descriptions. See tribunal.h. */

#include "tribunal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CUT_MARK "…"

static void *memory(size_t bytes) {
  void *block = malloc(bytes == 0 ? 1 : bytes);
  if (block == NULL) {
    abort();
  }
  return block;
}

static void *grown(void *list, size_t bytes) {
  void *block = realloc(list, bytes);
  if (block == NULL) {
    abort();
  }
  return block;
}

/* === Texts === */

static text_t text_n(const char *bytes, size_t length) {
  text_t text = {memory(length), length};
  if (length > 0) {
    memcpy(text.ptr, bytes, length);
  }
  return text;
}

text_t text_of(const char *zero_terminated) { return text_n(zero_terminated, strlen(zero_terminated)); }

bool text_is(text_t text, const char *zero_terminated) {
  size_t length = strlen(zero_terminated);
  return text.len == length && (length == 0 || memcmp(text.ptr, zero_terminated, length) == 0);
}

int text_compare(text_t a, text_t b) {
  size_t shorter = a.len < b.len ? a.len : b.len;
  int order = shorter == 0 ? 0 : memcmp(a.ptr, b.ptr, shorter);
  return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

text_t formatted(const char *format, ...) {
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  int length = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  if (length < 0) {
    abort();
  }
  char *bytes = memory((size_t)length + 1);
  vsnprintf(bytes, (size_t)length + 1, format, again);
  va_end(again);
  return (text_t){(uint8_t *)bytes, (size_t)length};
}

/* === Answers === */

/* Control characters (of one byte, and those of two from 0x80 to 0x9f) and the line breaks U+2028 and U+2029 become spaces, and
 * what goes beyond REASON_BYTES_MAX is cut: names that a requester chose cannot turn an answer into a fault. */
static text_t one_line(text_t text) {
  text_t line = {memory(text.len), 0};
  for (size_t i = 0; i < text.len; i++) {
    uint8_t byte = text.ptr[i];
    bool two = byte == 0xc2 && i + 1 < text.len && text.ptr[i + 1] < 0xa0;
    bool three = byte == 0xe2 && i + 2 < text.len && text.ptr[i + 1] == 0x80 && (text.ptr[i + 2] & 0xfe) == 0xa8;
    line.ptr[line.len++] = byte < 0x20 || byte == 0x7f || two || three ? ' ' : byte;
    i += two ? 1 : three ? 2 : 0;
  }
  if (text.len > REASON_BYTES_MAX) {
    size_t room = REASON_BYTES_MAX - strlen(CUT_MARK);
    if (line.len > room) {
      line.len = room;
      while (line.len > 0 && (line.ptr[line.len] & 0xc0) == 0x80) {
        line.len--;
      }
    }
    memcpy(line.ptr + line.len, CUT_MARK, strlen(CUT_MARK));
    line.len += strlen(CUT_MARK);
  }
  return line;
}

static ground_t ground(const char *rule, text_t reason) { return (ground_t){text_of(rule), one_line(reason)}; }

policy_opinion_t abstain(void) { return (policy_opinion_t){.tag = TRIBUNAL_POLICY_TYPES_OPINION_ABSTAIN}; }

policy_opinion_t approve(const char *rule, text_t reason) {
  policy_opinion_t opinion = {.tag = TRIBUNAL_POLICY_TYPES_OPINION_APPROVE};
  opinion.val.approve = ground(rule, reason);
  return opinion;
}

policy_opinion_t deny(const char *rule, text_t reason) {
  policy_opinion_t opinion = {.tag = TRIBUNAL_POLICY_TYPES_OPINION_DENY};
  opinion.val.deny = (tribunal_policy_types_list_ground_t){memory(sizeof(ground_t)), 1};
  *opinion.val.deny.ptr = ground(rule, reason);
  return opinion;
}

policy_opinion_t escalate(const char *rule, text_t reason) {
  policy_opinion_t opinion = {.tag = TRIBUNAL_POLICY_TYPES_OPINION_ESCALATE};
  opinion.val.escalate = ground(rule, reason);
  return opinion;
}

void add_lock(policy_list_lock_order_t *orders, const request_t *request, const char *rule, text_t reason) {
  orders->ptr = grown(orders->ptr, (orders->len + 1) * sizeof(*orders->ptr));
  text_t id = text_n((const char *)request->id.ptr, request->id.len);
  orders->ptr[orders->len++] = (policy_lock_order_t){.request = id, .ground = ground(rule, reason)};
}

/* === Questions === */

bool has_expired(const request_t *request, uint64_t now) {
  return request->access_expires.is_some && request->access_expires.val <= now;
}

bool is_held(const request_t *request, uint64_t now) {
  bool started = !request->access_starts.is_some || request->access_starts.val <= now;
  bool approved = request->state == TRIBUNAL_POLICY_TYPES_REQUEST_STATE_APPROVED;
  return approved && started && !has_expired(request, now) && request->locks.len == 0;
}

bool is_exempt(const request_t *request) { return values_of(&request->annotations, EXEMPT_ANNOTATION) != NULL; }

const texts_t *values_of(const attributes_t *attributes, const char *key) {
  for (size_t i = 0; i < attributes->len; i++) {
    if (text_is(attributes->ptr[i].key, key)) {
      return &attributes->ptr[i].values;
    }
  }
  return NULL;
}

const request_t *find_request(const policy_case_t *asked, text_t id) {
  for (size_t i = 0; i < asked->requests.len; i++) {
    if (text_compare(asked->requests.ptr[i].id, id) == 0) {
      return &asked->requests.ptr[i];
    }
  }
  fputs("`review` of a request that is not in the case\n", stderr);
  abort();
}

const fact_t *find_fact(const policy_case_t *asked, const char *name) {
  for (size_t i = 0; i < asked->facts.len; i++) {
    if (text_is(asked->facts.ptr[i].name, name)) {
      return &asked->facts.ptr[i];
    }
  }
  return NULL;
}

int compare_age(const request_t *a, const request_t *b) {
  if (a->created != b->created) {
    return a->created < b->created ? -1 : 1;
  }
  return text_compare(a->id, b->id);
}

/* === The operator's log === */

void log_debug(text_t message) { tribunal_policy_log_write(TRIBUNAL_POLICY_LOG_LEVEL_DEBUG, &message); }

void log_info(text_t message) { tribunal_policy_log_write(TRIBUNAL_POLICY_LOG_LEVEL_INFO, &message); }

void log_warn(text_t message) { tribunal_policy_log_write(TRIBUNAL_POLICY_LOG_LEVEL_WARN, &message); }

/* === What the policy says about itself === */

void describe_as(const about_t *about, policy_description_t *description) {
  *description = (policy_description_t){
      .name = text_of(about->name),
      .version = text_of(about->version),
      .summary = text_of(about->summary),
      .rules = {memory(about->rules_count * sizeof(tribunal_policy_types_rule_t)), about->rules_count},
      .effects = {memory(about->effects_count * sizeof(*about->effects)), about->effects_count},
      .settings_schema = schema_of(about),
  };
  for (size_t i = 0; i < about->rules_count; i++) {
    description->rules.ptr[i].id = text_of(about->rules[i].id);
    description->rules.ptr[i].summary = text_of(about->rules[i].summary);
  }
  for (size_t i = 0; i < about->effects_count; i++) {
    description->effects.ptr[i] = about->effects[i];
  }
}

void add_fault(policy_list_string_t *faults, text_t fault) {
  faults->ptr = grown(faults->ptr, (faults->len + 1) * sizeof(*faults->ptr));
  faults->ptr[faults->len++] = fault;
}

#ifdef __wasm__
/* policy.c refers to an object file with the types of the contract: `tribunal plugin build` adds them to the module instead. */
void __component_type_object_force_link_policy(void) {}
#endif
