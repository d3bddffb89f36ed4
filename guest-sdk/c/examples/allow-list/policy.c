/* SPDX-License-Identifier: Apache-2.0
 *
 * allow-list: what may be had without asking anybody, as `kind/name`; a name may end in `*`. It must never approve a request of
 * which any part is not on the list, nor one for whole roles.
 */

#include <string.h>

#include "tribunal/tribunal.h"

static texts_t allowed;

static const setting_t SETTINGS[] = {
    {.key = "allowed", .summary = "What may be had, as `kind/name`.", .kind = TEXTS_SETTING, .texts = &allowed},
};
static const rule_t RULES[] = {{"on-the-list", "all that is asked for is on the list"}};
static const tribunal_policy_types_effect_t EFFECTS[] = {TRIBUNAL_POLICY_TYPES_EFFECT_APPROVE};

static const about_t ABOUT = {
    .name = "allow-list",
    .version = "0.1.0",
    .summary = "approves what may be had without asking anybody",
    .rules = RULES,
    .rules_count = COUNT(RULES),
    .effects = EFFECTS,
    .effects_count = COUNT(EFFECTS),
    .settings = SETTINGS,
    .settings_count = COUNT(SETTINGS),
};

static bool matches(text_t pattern, text_t name) {
  bool open = pattern.len > 0 && pattern.ptr[pattern.len - 1] == '*';
  size_t length = pattern.len - open;
  bool fits = open ? name.len >= length : name.len == length;
  return fits && (length == 0 || memcmp(pattern.ptr, name.ptr, length) == 0);
}

static bool is_allowed(const resource_t *resource) {
  text_t name = formatted("%.*s/%.*s", SHOWN(resource->kind), SHOWN(resource->name));
  for (size_t i = 0; i < allowed.len; i++) {
    if (matches(allowed.ptr[i], name)) {
      return true;
    }
  }
  return false;
}

void exports_policy_describe(policy_description_t *ret) { describe_as(&ABOUT, ret); }

bool exports_policy_configure(policy_string_t *settings, policy_list_string_t *err) {
  bool good = read_settings(&ABOUT, *settings, err);
  for (size_t i = 0, count = good ? allowed.len : 0; i < count; i++) {
    text_t entry = allowed.ptr[i];
    if (entry.len == 0 || memchr(entry.ptr, '/', entry.len) == NULL) {
      add_fault(err, formatted("`allowed.%zu`: `%.*s` is no `kind/name`", i, SHOWN(entry)));
      good = false;
    }
  }
  return good;
}

void exports_policy_review(policy_case_t *asked, policy_string_t *id, policy_opinion_t *ret) {
  const request_t *request = find_request(asked, *id);
  bool all = request->resources.len > 0;
  for (size_t i = 0; all && i < request->resources.len; i++) {
    all = is_allowed(&request->resources.ptr[i]);
  }
  *ret = all ? approve("on-the-list", text_of("all that you ask for may be had without asking")) : abstain();
}

void exports_policy_enforce(policy_case_t *asked, policy_list_lock_order_t *ret) {
  (void)asked;
  *ret = (policy_list_lock_order_t){0};
}
