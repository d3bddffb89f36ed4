/* SPDX-License-Identifier: Apache-2.0
 *
 * cap: at most so many resources for a user at one time; what is held longest gives way to what is new. It must never count
 * what gives no access, and never lock a request whose loss makes no room.
 */

#include <stdlib.h>
#include <string.h>

#include "tribunal/tribunal.h"

enum unit { RESOURCES, REQUESTS, ROLES };
static const char *const UNITS[] = {"resources", "requests", "roles"};
enum order { OLDEST_FIRST, SKIP_FIT };
static const char *const ORDERS[] = {"oldest-first", "skip-fit"};
enum when_compliant { APPROVE, ABSTAIN };
static const char *const WHEN_COMPLIANT[] = {"approve", "abstain"};
enum counts { COUNTS, IGNORES };
static const char *const ROLE_ONLY[] = {"count", "ignore"};
static const char *const PROMOTED[] = {"ignore", "count"};

static uint64_t max_resources = 3;
static size_t unit = RESOURCES, order = OLDEST_FIRST, when_compliant = APPROVE, role_only = COUNTS, counts_promoted = 0;

#define WORD(words_of, variable) .kind = WORD_SETTING, .words = words_of, .words_count = COUNT(words_of), .word = &variable

static const setting_t SETTINGS[] = {
    {.key = "max-resources", .summary = "The limit.", .min = 1, .max = UINT32_MAX, .number = &max_resources},
    {.key = "unit", .summary = "What is counted.", WORD(UNITS, unit)},
    {.key = "order", .summary = "Which held requests give way.", WORD(ORDERS, order)},
    {.key = "when-compliant", .summary = "The answer about a request that complies.", WORD(WHEN_COMPLIANT, when_compliant)},
    {.key = "role-only-requests", .summary = "How a request of whole roles counts.", WORD(ROLE_ONLY, role_only)},
    {.key = "promoted", .summary = "Whether promoted access takes room.", WORD(PROMOTED, counts_promoted)},
};

static const rule_t RULES[] = {
    {"within-cap", "the request fits the limit once older ones have given way"},
    {"request-over-cap", "the request alone exceeds the limit"},
    {"newer-fill-cap", "newer or permanent access fills the limit and does not give way to this request"},
    {"held-over-cap", "the held requests exceed the limit and this one gives way"},
};

static const tribunal_policy_types_effect_t EFFECTS[] = {
    TRIBUNAL_POLICY_TYPES_EFFECT_APPROVE,
    TRIBUNAL_POLICY_TYPES_EFFECT_DENY,
    TRIBUNAL_POLICY_TYPES_EFFECT_ESCALATE,
    TRIBUNAL_POLICY_TYPES_EFFECT_LOCK,
};

static const about_t ABOUT = {
    .name = "cap",
    .version = "0.1.0",
    .summary = "at most so many resources for a user, the oldest give way",
    .rules = RULES,
    .rules_count = COUNT(RULES),
    .effects = EFFECTS,
    .effects_count = COUNT(EFFECTS),
    .settings = SETTINGS,
    .settings_count = COUNT(SETTINGS),
};

/* One thing that takes a unit of the limit, with the number of requests that hold it: a request or a role has one part, a
 * resource has four. */
typedef struct {
  const text_t *parts[4];
  size_t parts_count;
  size_t holders;
} item_t;

/* A request that counts, with what it takes: places in the table of items, each once. */
typedef struct {
  const request_t *request;
  size_t *items;
  size_t count;
  bool gives_way;
} holding_t;

/* All that is looked at in one answer. Items are in the order in which they were seen. */
static item_t *items;
static size_t items_count, units;

static void *enough(size_t count, size_t bytes) {
  void *block = calloc(count + 1, bytes);
  if (block == NULL) {
    abort();
  }
  return block;
}

static bool is_same(const item_t *a, const item_t *b) {
  bool same = a->parts_count == b->parts_count;
  for (size_t i = 0; same && i < a->parts_count; i++) {
    same = text_compare(*a->parts[i], *b->parts[i]) == 0;
  }
  return same;
}

static void take_item(holding_t *holding, item_t item) {
  size_t place = 0;
  while (place < items_count && !is_same(&items[place], &item)) {
    place++;
  }
  if (place == items_count) {
    items[items_count++] = item;
  }
  for (size_t i = 0; i < holding->count; i++) {
    if (holding->items[i] == place) {
      return;
    }
  }
  holding->items[holding->count++] = place;
}

static holding_t holding_of(const request_t *request) {
  holding_t holding = {request, enough(request->roles.len + request->resources.len + 1, sizeof(size_t)), 0, false};
  item_t itself = {.parts = {&request->id}, .parts_count = 1};
  if (unit == REQUESTS || (unit == RESOURCES && role_only == COUNTS && request->resources.len == 0)) {
    take_item(&holding, itself);
  } else if (unit == ROLES) {
    for (size_t i = 0; i < request->roles.len; i++) {
      take_item(&holding, (item_t){.parts = {&request->roles.ptr[i]}, .parts_count = 1});
    }
  } else {
    for (size_t i = 0; i < request->resources.len; i++) {
      const resource_t *of = &request->resources.ptr[i];
      take_item(&holding, (item_t){.parts = {&of->name, &of->sub_resource, &of->kind, &of->cluster}, .parts_count = 4});
    }
  }
  return holding;
}

static void add(const holding_t *holding) {
  for (size_t i = 0; i < holding->count; i++) {
    units += items[holding->items[i]].holders++ == 0;
  }
}

static void take_back(const holding_t *holding) {
  for (size_t i = 0; i < holding->count; i++) {
    units -= --items[holding->items[i]].holders == 0;
  }
}

/* Units that it would add. */
static size_t more(const holding_t *holding) {
  size_t count = 0;
  for (size_t i = 0; i < holding->count; i++) {
    count += items[holding->items[i]].holders == 0;
  }
  return count;
}

static bool has_room_for(const holding_t *holding) {
  size_t count = more(holding);
  return count == 0 || units + count <= max_resources;
}

/* The oldest give way until what is left fits beside what is permanent. */
static void oldest_first(holding_t *holdings, size_t count) {
  /* Those that cannot fit even alone go first: no older one has to give way for them. */
  for (size_t i = 0; i < count; i++) {
    holdings[i].gives_way = !has_room_for(&holdings[i]);
  }
  for (size_t i = 0; i < count; i++) {
    if (!holdings[i].gives_way) {
      add(&holdings[i]);
    }
  }
  for (size_t i = 0; i < count && units > max_resources; i++) {
    if (!holdings[i].gives_way) {
      take_back(&holdings[i]);
      holdings[i].gives_way = true;
    }
  }
  /* One that newer requests cover altogether made no room by going. */
  for (size_t i = 0; i < count; i++) {
    holdings[i].gives_way = holdings[i].gives_way && more(&holdings[i]) > 0;
  }
}

/* From the newest to the oldest, what does not fit beside what was kept. */
static void skip_fit(holding_t *holdings, size_t count) {
  for (size_t i = count; i-- > 0;) {
    holdings[i].gives_way = !has_room_for(&holdings[i]);
    if (!holdings[i].gives_way) {
      add(&holdings[i]);
    }
  }
}

static bool is_promoted(const policy_case_t *asked, const request_t *request) {
  return request->state == TRIBUNAL_POLICY_TYPES_REQUEST_STATE_PROMOTED && !has_expired(request, asked->now);
}

static int by_age(const void *a, const void *b) {
  return compare_age(((const holding_t *)a)->request, ((const holding_t *)b)->request);
}

/* What is held and counts, beside `wanted` if it is not NULL; oldest first, with what gives way. */
static size_t judge(const policy_case_t *asked, const request_t *wanted, holding_t **judged) {
  size_t things = 0, count = 0;
  for (size_t i = 0; i < asked->requests.len; i++) {
    things += 1 + asked->requests.ptr[i].roles.len + asked->requests.ptr[i].resources.len;
  }
  items = enough(things, sizeof(item_t));
  items_count = units = 0;
  holding_t *holdings = *judged = enough(asked->requests.len + 1, sizeof(holding_t));
  for (size_t i = 0; i < asked->requests.len; i++) {
    const request_t *request = &asked->requests.ptr[i];
    if (counts_promoted && is_promoted(asked, request)) {
      holding_t lasting = holding_of(request);
      add(&lasting);
    }
    if (request == wanted || (is_held(request, asked->now) && !is_exempt(request))) {
      holdings[count++] = holding_of(request);
    }
  }
  qsort(holdings, count, sizeof(holding_t), by_age);
  (order == SKIP_FIT ? skip_fit : oldest_first)(holdings, count);
  return count;
}

static void warn_of_promoted(const policy_case_t *asked) {
  unsigned long long ignored = 0;
  for (size_t i = 0; i < asked->requests.len; i++) {
    ignored += is_promoted(asked, &asked->requests.ptr[i]);
  }
  if (!counts_promoted && ignored > 0) {
    const char *why = "their access is permanent (setting `promoted`)";
    log_warn(formatted("%llu promoted requests are not counted: %s", ignored, why));
  }
}

void exports_policy_describe(policy_description_t *ret) { describe_as(&ABOUT, ret); }

bool exports_policy_configure(policy_string_t *settings, policy_list_string_t *err) {
  return read_settings(&ABOUT, *settings, err);
}

void exports_policy_review(policy_case_t *asked, policy_string_t *id, policy_opinion_t *ret) {
  const request_t *request = find_request(asked, *id);
  holding_t *holdings;
  size_t count = judge(asked, request, &holdings);
  unsigned long long max = max_resources;
  const holding_t *wanted = holdings;
  while (wanted < holdings + count && wanted->request != request) {
    wanted++;
  }
  if (wanted->count > max_resources) {
    text_t reason = formatted("Request contains %zu %s, exceeds limit of %llu", wanted->count, UNITS[unit], max);
    *ret = deny("request-over-cap", reason);
    return;
  }
  warn_of_promoted(asked);
  if (wanted->gives_way) {
    const char *filled = "Newer or permanent access already fills the limit of";
    text_t reason = formatted("%s %llu %s: this request would be locked at once", filled, max, UNITS[unit]);
    *ret = escalate("newer-fill-cap", reason);
  } else if (when_compliant == ABSTAIN) {
    *ret = abstain();
  } else {
    *ret = approve("within-cap", text_of("Auto-approved: complies with access policies"));
  }
}

void exports_policy_enforce(policy_case_t *asked, policy_list_lock_order_t *ret) {
  *ret = (policy_list_lock_order_t){0};
  holding_t *holdings;
  size_t count = judge(asked, NULL, &holdings);
  for (size_t i = 0; i < count; i++) {
    if (holdings[i].gives_way) {
      text_t reason =
          formatted("Exceeded maximum approved %s limit (%llu)", UNITS[unit], (unsigned long long)max_resources);
      add_lock(ret, holdings[i].request, "held-over-cap", reason);
    }
  }
}
