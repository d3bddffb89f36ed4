/* Run with `make test`. */

#include "policy.c"
#include "tribunal/testing.h"

/* @if review */
static policy_opinion_t ask(const char *reason) {
  policy_case_t asked = new_case();
  add_pending(&asked, "r1", "a")->reason = text_of(reason);
  return review(&asked, "r1");
}

static void a_reason_that_says_too_little_is_denied(void) {
  CHECK(ask("database is slow").tag == TRIBUNAL_POLICY_TYPES_OPINION_ABSTAIN);
  policy_opinion_t opinion = ask(" please ");
  CHECK(opinion.tag == TRIBUNAL_POLICY_TYPES_OPINION_DENY);
  CHECK(text_is(opinion.val.deny.ptr->reason,
                "say in at least 3 words what the access is for: your reason has 1"));
}

/* @end */
/* @if enforce */
static void the_oldest_give_way_and_the_exempt_do_not_count(void) {
  policy_case_t asked = new_case();
  add_held(&asked, "a", "a");
  make_exempt(add_held(&asked, "b", "b"));
  add_held(&asked, "c", "c");
  add_held(&asked, "d", "d");
  CHECK(configure("{\"held-max\": 2}") == 0);
  CHECK(text_is(lost(&asked), "a "));
}

/* @end */
int main(void) {
  CHECK(configure("{\"no-such-key\": 1}") == 1);
  /* @if review */
  a_reason_that_says_too_little_is_denied();
  /* @end */
  /* @if enforce */
  the_oldest_give_way_and_the_exempt_do_not_count();
  /* @end */
  return 0;
}
