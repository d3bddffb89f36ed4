/* Run with `make test`. */

#include "policy.c"
#include "tribunal/testing.h"

static void a_compliant_request_is_approved_or_left_to_others(void) {
  policy_case_t asked = new_case();
  add_pending(&asked, "new", "abc");
  CHECK(configure("{}") == 0);
  CHECK(review(&asked, "new").tag == TRIBUNAL_POLICY_TYPES_OPINION_APPROVE);
  CHECK(configure("{\"when-compliant\": \"abstain\"}") == 0);
  CHECK(review(&asked, "new").tag == TRIBUNAL_POLICY_TYPES_OPINION_ABSTAIN);
  CHECK(configure("{\"when-compliant\": \"approve\"}") == 0);
}

static void a_request_that_alone_exceeds_the_cap_is_denied(void) {
  policy_case_t asked = new_case();
  add_pending(&asked, "new", "abcd");
  policy_opinion_t opinion = review(&asked, "new");
  CHECK(opinion.tag == TRIBUNAL_POLICY_TYPES_OPINION_DENY);
  CHECK(text_is(opinion.val.deny.ptr->reason, "Request contains 4 resources, exceeds limit of 3"));
}

static void a_request_that_would_be_locked_at_once_is_left_to_people(void) {
  policy_case_t asked = new_case();
  add_pending(&asked, "new", "a");
  add_held(&asked, "newer", "bcd");
  CHECK(review(&asked, "new").tag == TRIBUNAL_POLICY_TYPES_OPINION_ESCALATE);
}

static void the_oldest_give_way(void) {
  policy_case_t sizes = new_case(), covered = new_case(), silent = new_case();
  add_held(&sizes, "old", "a");
  add_held(&sizes, "mid", "bc");
  add_held(&sizes, "new", "de");
  CHECK(text_is(lost(&sizes), "old mid "));
  CHECK(configure("{\"order\": \"skip-fit\"}") == 0);
  CHECK(text_is(lost(&sizes), "mid "));
  CHECK(configure("{\"order\": \"oldest-first\"}") == 0);

  add_held(&covered, "covered", "a");
  add_held(&covered, "b", "bc");
  add_held(&covered, "new", "ad");
  CHECK(text_is(lost(&covered), "b "));

  add_held(&silent, "a", "abc");
  make_exempt(add_held(&silent, "exempt", "d"));
  CHECK(text_is(lost(&silent), ""));
}

static void settings_are_read_as_they_are_written(void) {
  CHECK(configure("{\"max-resources\": 0, \"unit\": \"nodes\", \"max\": [3, {\"a\": \"]\"}]}") == 3);
  CHECK(configure(" { \"unit\" : \"r\\u006fles\" } ") == 0 && unit == ROLES);
  CHECK(configure("{\"unit\": \"resources\"}") == 0);
  for (const char *const *bad = (const char *const[]){"", "[]", "{", "{\"unit\"}", "{\"unit\": \"roles\"", "{} x", NULL}; *bad; bad++) {
    CHECK(configure(*bad) > 0);
  }
  for (const char *const *bad = (const char *const[]){"-1", "1.5", "\"3\"", "4294967296", "null", "99999999999999999999", NULL}; *bad; bad++) {
    text_t settings = formatted("{\"max-resources\": %s}", *bad);
    policy_list_string_t faults = {0};
    CHECK(!exports_policy_configure(&settings, &faults) && faults.len == 1);
  }
}

int main(void) {
  a_compliant_request_is_approved_or_left_to_others();
  a_request_that_alone_exceeds_the_cap_is_denied();
  a_request_that_would_be_locked_at_once_is_left_to_people();
  the_oldest_give_way();
  settings_are_read_as_they_are_written();
  return 0;
}
