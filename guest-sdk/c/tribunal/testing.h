/* For the tests of a policy, which are compiled for this machine: cases with plausible defaults, and the lines of the log. One
 * file of the tests includes it.
 */
#ifndef TRIBUNAL_TESTING_H
#define TRIBUNAL_TESTING_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tribunal.h"

/* `now` of a case: 2026-01-01 12:00 UTC. */
#define NOW_MS UINT64_C(1767268800000)
/* How long before that the first request was created; each further one a second later. */
#define FIRST_REQUEST_AGE_MS 3600000

#define CHECK(condition) \
  do { \
    if (!(condition)) { \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
      exit(1); \
    } \
  } while (0)

/* The last line of the log. */
static text_t last_logged;

void tribunal_policy_log_write(tribunal_policy_log_level_t level, policy_string_t *message) {
  (void)level;
  last_logged = *message;
}

/* A case about alice without requests. */
static inline policy_case_t new_case(void) {
  policy_case_t asked = {.now = NOW_MS, .cluster = text_of("root"), .subject = {.name = text_of("alice")}};
  asked.subject.roles.is_some = asked.subject.traits.is_some = true;
  return asked;
}

/* Adds a request of this many nodes, each named by a letter of `nodes`. The pointer is good until the next one is added. */
static inline request_t *add_request(policy_case_t *asked, const char *id, uint8_t state, const char *nodes) {
  size_t count = asked->requests.len;
  asked->requests.ptr = realloc(asked->requests.ptr, (count + 1) * sizeof(request_t));
  CHECK(asked->requests.ptr != NULL);
  request_t *request = &asked->requests.ptr[asked->requests.len++];
  *request = (request_t){.id = text_of(id), .user = text_of("alice"), .state = state};
  request->created = NOW_MS - FIRST_REQUEST_AGE_MS + count * 1000;
  request->resources.len = strlen(nodes);
  request->resources.ptr = calloc(strlen(nodes) + 1, sizeof(resource_t));
  CHECK(request->resources.ptr != NULL);
  for (size_t i = 0; nodes[i] != 0; i++) {
    char name[2] = {nodes[i], 0};
    resource_t *node = &request->resources.ptr[i];
    *node = (resource_t){.cluster = text_of("root"), .kind = text_of("node"), .name = text_of(name)};
    node->labels.is_some = true;
  }
  return request;
}

static inline request_t *add_pending(policy_case_t *asked, const char *id, const char *nodes) {
  return add_request(asked, id, TRIBUNAL_POLICY_TYPES_REQUEST_STATE_PENDING, nodes);
}

static inline request_t *add_held(policy_case_t *asked, const char *id, const char *nodes) {
  return add_request(asked, id, TRIBUNAL_POLICY_TYPES_REQUEST_STATE_APPROVED, nodes);
}

/* The operator exempts a request. */
static inline void make_exempt(request_t *request) {
  request->annotations.ptr = calloc(1, sizeof(attribute_t));
  CHECK(request->annotations.ptr != NULL);
  request->annotations.ptr->key = text_of(EXEMPT_ANNOTATION);
  request->annotations.len = 1;
}

/* Gives the policy these settings; how many faults it finds. */
static inline size_t configure(const char *json) {
  text_t settings = text_of(json);
  policy_list_string_t faults = {0};
  return exports_policy_configure(&settings, &faults) ? 0 : faults.len;
}

/* What the policy says about a request. */
static inline policy_opinion_t review(policy_case_t *asked, const char *id) {
  text_t request = text_of(id);
  policy_opinion_t opinion = {0};
  exports_policy_review(asked, &request, &opinion);
  return opinion;
}

/* The ids of what the policy locks, each with a space behind it. */
static inline text_t lost(policy_case_t *asked) {
  policy_list_lock_order_t orders = {0};
  exports_policy_enforce(asked, &orders);
  text_t ids = text_of("");
  for (size_t i = 0; i < orders.len; i++) {
    ids = formatted("%.*s%.*s ", SHOWN(ids), SHOWN(orders.ptr[i].request));
  }
  return ids;
}

#endif
