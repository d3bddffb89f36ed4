/* SPDX-License-Identifier: LicenseRef-Proprietary
 *
 * my-policy: say here in one sentence what it is for, and what it must never do.
 */

#include "tribunal/tribunal.h"

/* @if review */
static uint64_t words_min = 3;
/* @end */
/* @if enforce */
static uint64_t held_max = 5;
/* @end */

static const setting_t SETTINGS[] = {
    /* @if review */
    {.key = "words-min", .summary = "Fewest words of a reason.", .min = 1, .max = 1000, .number = &words_min},
    /* @end */
    /* @if enforce */
    {.key = "held-max", .summary = "Most requests held at one time.", .min = 1, .max = 1000, .number = &held_max},
    /* @end */
};

static const rule_t RULES[] = {
    /* @if review */
    {"reason-too-short", "the reason says too little"},
    /* @end */
    /* @if enforce */
    {"too-many-held", "the user holds more requests than allowed, and this is one of the oldest"},
    /* @end */
};

static const tribunal_policy_types_effect_t EFFECTS[] = {
    /* @if review */
    TRIBUNAL_POLICY_TYPES_EFFECT_DENY,
    /* @end */
    /* @if enforce */
    TRIBUNAL_POLICY_TYPES_EFFECT_LOCK,
    /* @end */
};

static const about_t ABOUT = {
    .name = "my-policy",
    .version = "0.1.0",
    .summary = "what an operator should know about it, in one line",
    .rules = RULES,
    .rules_count = COUNT(RULES),
    .effects = EFFECTS,
    .effects_count = COUNT(EFFECTS),
    .settings = SETTINGS,
    .settings_count = COUNT(SETTINGS),
};

void exports_policy_describe(policy_description_t *ret) { describe_as(&ABOUT, ret); }

bool exports_policy_configure(policy_string_t *settings, policy_list_string_t *err) {
  return read_settings(&ABOUT, *settings, err);
}

/* What about this pending request? Approving is left to others. */
void exports_policy_review(policy_case_t *asked, policy_string_t *id, policy_opinion_t *ret) {
  *ret = abstain();
  (void)asked, (void)id;
  /* @if review */
  const request_t *request = find_request(asked, *id);
  uint64_t words = 0;
  bool is_inside = false;
  for (size_t i = 0; i < request->reason.len; i++) {
    bool is_space = request->reason.ptr[i] <= ' ';
    words += !is_space && !is_inside;
    is_inside = !is_space;
  }
  if (words < words_min) {
    *ret = deny("reason-too-short",
                formatted("say in at least %llu words what the access is for: your reason has %llu",
                          (unsigned long long)words_min, (unsigned long long)words));
  }
  /* @end */
}

/* Which held requests must be locked now? The host also asks this as if a pending request were held. */
void exports_policy_enforce(policy_case_t *asked, policy_list_lock_order_t *ret) {
  *ret = (policy_list_lock_order_t){0};
  (void)asked;
  /* @if enforce */
  uint64_t kept = 0;
  /* Requests are oldest first, and so are orders: count from the newest, lock from the oldest. */
  size_t newest = asked->requests.len;
  while (newest > 0 && kept < held_max) {
    const request_t *request = &asked->requests.ptr[--newest];
    kept += is_held(request, asked->now) && !is_exempt(request);
  }
  for (size_t i = 0; kept == held_max && i < newest; i++) {
    const request_t *request = &asked->requests.ptr[i];
    if (is_held(request, asked->now) && !is_exempt(request)) {
      add_lock(ret, request, "too-many-held",
               formatted("you hold more than %llu requests: the oldest give way", (unsigned long long)held_max));
    }
  }
  /* @end */
}
