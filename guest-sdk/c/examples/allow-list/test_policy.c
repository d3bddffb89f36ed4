/* Run with `make test`. */

#include "policy.c"
#include "tribunal/testing.h"

static uint8_t ask(const char *nodes) {
  policy_case_t asked = new_case();
  add_pending(&asked, "r1", nodes);
  return review(&asked, "r1").tag;
}

int main(void) {
  CHECK(ask("a") == TRIBUNAL_POLICY_TYPES_OPINION_ABSTAIN);
  CHECK(configure("{\"allowed\": [\"node/a\", \"node/b\", \"db/*\"]}") == 0);
  CHECK(ask("a") == TRIBUNAL_POLICY_TYPES_OPINION_APPROVE);
  CHECK(ask("ab") == TRIBUNAL_POLICY_TYPES_OPINION_APPROVE);
  CHECK(ask("abc") == TRIBUNAL_POLICY_TYPES_OPINION_ABSTAIN);
  CHECK(ask("") == TRIBUNAL_POLICY_TYPES_OPINION_ABSTAIN);
  CHECK(configure("{\"allowed\": [\"node/*\"]}") == 0);
  CHECK(ask("abc") == TRIBUNAL_POLICY_TYPES_OPINION_APPROVE);
  CHECK(configure("{\"allowed\": [\"node\"]}") == 1);
  CHECK(configure("{\"allowed\": [1]}") == 1);
  return 0;
}
