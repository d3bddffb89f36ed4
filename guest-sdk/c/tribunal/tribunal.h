/* What the author of a policy in C uses: answers, and questions that most policies ask of a case. The contract itself is
 * policy.h, which is generated. An instance lives for one answer: nothing here is ever freed, and nothing needs to be.
 */
#ifndef TRIBUNAL_H
#define TRIBUNAL_H

#include "policy.h"

typedef policy_string_t text_t;
typedef policy_list_string_t texts_t;
typedef tribunal_policy_types_attribute_t attribute_t;
typedef tribunal_policy_types_list_attribute_t attributes_t;
typedef tribunal_policy_types_access_request_t request_t;
typedef tribunal_policy_types_requested_resource_t resource_t;
typedef tribunal_policy_types_ground_t ground_t;
typedef tribunal_policy_types_fact_t fact_t;

/* Longest reason of one ground, in bytes: what Teleport stores of a whole decision. Longer ones are cut. */
#define REASON_BYTES_MAX 4096
/* The annotation by which the host says that the operator exempts a request from being locked. */
#define EXEMPT_ANNOTATION "tribunal/exempt"

/* For printf's `%.*s`. */
#define SHOWN(text) (int)(text).len, (const char *)(text).ptr
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* === Texts: bytes of UTF-8, with their length, without a zero at the end === */

text_t text_of(const char *zero_terminated);
bool text_is(text_t text, const char *zero_terminated);
/* As their bytes: below, equal or above 0. */
int text_compare(text_t a, text_t b);
/* A text as printf makes it. */
text_t formatted(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* === Answers === */

/* Nothing to say; somebody else has to approve. */
policy_opinion_t abstain(void);
/* Yes, as far as this policy is concerned. */
policy_opinion_t approve(const char *rule, text_t reason);
/* No. */
policy_opinion_t deny(const char *rule, text_t reason);
/* People have to decide. */
policy_opinion_t escalate(const char *rule, text_t reason);
/* This held request must be locked, for as long as its access lasts. `orders` begins as `{0}`. */
void add_lock(policy_list_lock_order_t *orders, const request_t *request, const char *rule, text_t reason);

/* === Questions === */

/* Gives access at this time: approved, started, not expired and not locked. */
bool is_held(const request_t *request, uint64_t now);
/* Its access has ended; false where the end is not known. */
bool has_expired(const request_t *request, uint64_t now);
/* The operator exempts it: it should neither count nor be locked. */
bool is_exempt(const request_t *request);
/* The values of a trait, a label or an annotation; NULL where there is no such key. */
const texts_t *values_of(const attributes_t *attributes, const char *key);
/* The request with this id; traps where the case has none, which is a fault. */
const request_t *find_request(const policy_case_t *asked, text_t id);
/* The fact that the operator configured under this name, or NULL. */
const fact_t *find_fact(const policy_case_t *asked, const char *name);
/* Below 0 where `a` is older than `b`; equal ages go by id. */
int compare_age(const request_t *a, const request_t *b);

/* === The operator's log === */

void log_debug(text_t message);
void log_info(text_t message);
void log_warn(text_t message);

/* === What the policy says about itself, and its settings === */

typedef struct {
  const char *id;
  const char *summary;
} rule_t;

typedef enum { NUMBER_SETTING, WORD_SETTING, TEXTS_SETTING } setting_kind_t;

/* One key of the settings. What stands in its variable before `configure` is its default. */
typedef struct {
  const char *key;
  const char *summary;
  setting_kind_t kind;
  /* A number: a whole one within these bounds, into a uint64_t. */
  uint64_t min, max;
  uint64_t *number;
  /* A word: one of these, its place among them into a size_t. */
  const char *const *words;
  size_t words_count;
  size_t *word;
  /* Texts: a list, into a texts_t. */
  texts_t *texts;
} setting_t;

typedef struct {
  const char *name;
  const char *version;
  const char *summary;
  const rule_t *rules;
  size_t rules_count;
  const tribunal_policy_types_effect_t *effects;
  size_t effects_count;
  const setting_t *settings;
  size_t settings_count;
} about_t;

/* For `exports_policy_describe`. */
void describe_as(const about_t *about, policy_description_t *description);
/* For `exports_policy_configure`: false where something is wrong, all of which is in `faults`. */
bool read_settings(const about_t *about, text_t json, policy_list_string_t *faults);
/* The same settings as JSON Schema. */
text_t schema_of(const about_t *about);
/* Adds a sentence that names a key. `faults` begins as `{0}`. */
void add_fault(policy_list_string_t *faults, text_t fault);

#endif
