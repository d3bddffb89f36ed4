/* SPDX-License-Identifier: Apache-2.0
 *
 * A hostile guest in C: the mistakes and the malice that the language is known for. Which of them it is here for, its settings
 * say. `suite.toml` says what each must come to, and `tests/languages/run` tries it, where a compiler for it is there.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tribunal/tribunal.h"

#define MIB (1024 * 1024)

static texts_t attacks;

static const setting_t SETTINGS[] = {
    {.key = "attacks", .summary = "What it does when it is asked.", .kind = TEXTS_SETTING, .texts = &attacks},
};
static const rule_t RULES[] = {{"struck", "it struck"}};
static const tribunal_policy_types_effect_t EFFECTS[] = {TRIBUNAL_POLICY_TYPES_EFFECT_DENY};

static const about_t ABOUT = {
    .name = "hostile",
    .version = "0.1.0",
    .summary = "attacks whoever asks it",
    .rules = RULES,
    .rules_count = COUNT(RULES),
    .effects = EFFECTS,
    .effects_count = COUNT(EFFECTS),
    .settings = SETTINGS,
    .settings_count = COUNT(SETTINGS),
};

/* What the compiler may not think away. */
static void *volatile kept;
static volatile size_t many = 1000;

static bool is_asked_for(const char *attack) {
  for (size_t i = 0; i < attacks.len; i++) {
    if (text_is(attacks.ptr[i], attack)) {
      return true;
    }
  }
  return false;
}

/* Copies a megabyte onto a stack where eight bytes are for it. */
static void overflow_the_stack(void) {
  volatile char short_one[8];
  for (size_t i = 0; i < many * 100000; i++) {
    short_one[i] = 'A';
  }
}

/* The same on the heap. */
static void overflow_the_heap(void) {
  volatile char *short_one = malloc(8);
  for (size_t i = 0; i < many * 100000; i++) {
    short_one[i] = 'A';
  }
}

static size_t descend(size_t depth) {
  volatile size_t here[1024];
  memset((void *)here, (int)depth, sizeof here);
  return many == 0 ? here[0] : descend(depth + 1) + here[depth % COUNT(here)];
}

static void call_what_is_no_function(void) {
  void (*nothing)(void) = (void (*)(void))(uintptr_t)(many * 1000);
  nothing();
}

static int with_arguments(int a, int b) { return a + b + (int)many; }

static void call_as_something_else(void) {
  kept = (void *)(uintptr_t)with_arguments;
  ((void (*)(void))(uintptr_t)kept)();
}

static void take_all_memory(void) {
  for (;;) {
    kept = malloc(MIB);
    if (kept == NULL) {
      abort();
    }
  }
}

void exports_policy_describe(policy_description_t *ret) { describe_as(&ABOUT, ret); }

bool exports_policy_configure(policy_string_t *settings, policy_list_string_t *err) {
  return read_settings(&ABOUT, *settings, err);
}

void exports_policy_review(policy_case_t *asked, policy_string_t *id, policy_opinion_t *ret) {
  (void)asked, (void)id;
  *ret = abstain();
  if (is_asked_for("abort")) {
    abort();
  }
  if (is_asked_for("exit")) {
    exit(0);
  }
  if (is_asked_for("loop")) {
    while (many != 0) {
    }
  }
  if (is_asked_for("output")) {
    while (many != 0) {
      puts("again");
    }
  }
  if (is_asked_for("stack")) {
    overflow_the_stack();
  }
  if (is_asked_for("heap")) {
    overflow_the_heap();
  }
  if (is_asked_for("recursion")) {
    many += descend(0);
  }
  if (is_asked_for("memory")) {
    take_all_memory();
  }
  if (is_asked_for("no-function")) {
    call_what_is_no_function();
  }
  if (is_asked_for("other-function")) {
    call_as_something_else();
  }
  if (is_asked_for("null")) {
    /* Not a trap: in Wasm, address 0 is memory like any other, and the guest's own. */
    *(volatile char *)(uintptr_t)(many - 1000) = 1;
  }
  if (is_asked_for("length")) {
    text_t endless = text_of("endless");
    endless.len = (size_t)-1;
    *ret = deny("struck", endless);
  }
  if (is_asked_for("bytes")) {
    *ret = deny("struck", text_of("\xff\xfe no text"));
  }
}

void exports_policy_enforce(policy_case_t *asked, policy_list_lock_order_t *ret) {
  *ret = (policy_list_lock_order_t){0};
  (void)asked;
}
