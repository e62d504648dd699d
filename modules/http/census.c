/* census.c - a hash with chains; it doubles when it is full, and is never made
 * smaller: it has a pointer for each address that there was at one time. */
#include "modules/http/census.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "host/stream/ends.h"

struct key {
  const void *place;
  unsigned char address[16]; /* IPv4 as IPv6 has it: ::ffff:127.0.0.1 */
};

struct neighbours {
  struct neighbours *next;
  struct key key;
  uint64_t hash;
  unsigned count;
};

static struct {
  struct neighbours **slots; /* NULL: none was ever counted */
  size_t size;               /* a power of two */
  size_t used;
  uint64_t seed;
} census;

/* ---- keys ---------------------------------------------------------------- */

static bool read_key(struct key *key, const void *place,
                     const union peer *peer) {
  memset(key, 0, sizeof *key);
  key->place = place;
  if (peer->any.sa_family == AF_INET) {
    key->address[10] = key->address[11] = 0xff;
    memcpy(key->address + 12, &peer->v4.sin_addr, 4);
  } else if (peer->any.sa_family == AF_INET6) {
    memcpy(key->address, &peer->v6.sin6_addr, 16);
  } else {
    return false;
  }
  return true;
}

static bool same(const struct key *one, const struct key *other) {
  return one->place == other->place &&
         memcmp(one->address, other->address, sizeof one->address) == 0;
}

static uint64_t mix(uint64_t hash, uint64_t part) {
  hash = (hash ^ part) * 0x9e3779b97f4a7c15U;
  return hash ^ hash >> 29;
}

static uint64_t hash_of(const struct key *key) {
  uint64_t parts[2];
  memcpy(parts, key->address, sizeof parts);
  uint64_t hash = mix(census.seed, (uintptr_t)key->place);
  hash = mix(mix(hash, parts[0]), parts[1] ^ census.seed >> 32);
  return mix(hash, census.seed);
}

/* ---- the table ----------------------------------------------------------- */

enum { SIZE_LEAST = 64 };

static struct neighbours **slot_of(uint64_t hash) {
  return &census.slots[hash & (census.size - 1)];
}

static void draw_seed(void) {
  if (uv_random(NULL, NULL, &census.seed, sizeof census.seed, 0, NULL) < 0)
    census.seed = uv_hrtime();
}

/* Room for one more. False without memory. */
static bool grow(void) {
  struct neighbours **old = census.slots;
  size_t old_size = census.size;
  if (old != NULL && census.used < old_size) return true;
  size_t size = old == NULL ? SIZE_LEAST : 2 * old_size;
  struct neighbours **slots = calloc(size, sizeof(struct neighbours *));
  if (slots == NULL) return old != NULL; /* its chains become longer */
  if (old == NULL) draw_seed();
  census.slots = slots;
  census.size = size;
  for (size_t i = 0; i < old_size; i++)
    for (struct neighbours *n = old[i], *next; n != NULL; n = next) {
      next = n->next;
      n->next = *slot_of(n->hash);
      *slot_of(n->hash) = n;
    }
  free(old);
  return true;
}

static struct neighbours *find(const struct key *key, uint64_t hash) {
  struct neighbours *n = *slot_of(hash);
  while (n != NULL && !(n->hash == hash && same(&n->key, key))) n = n->next;
  return n;
}

/* ---- the interface ------------------------------------------------------- */

struct neighbours *census_enter(const void *place, const union peer *peer) {
  struct key key;
  if (!read_key(&key, place, peer) || !grow()) return NULL;
  uint64_t hash = hash_of(&key);
  struct neighbours *n = find(&key, hash);
  if (n == NULL) {
    n = malloc(sizeof *n);
    if (n == NULL) return NULL;
    *n = (struct neighbours){*slot_of(hash), key, hash, 0};
    *slot_of(hash) = n;
    census.used++;
  }
  n->count++;
  return n;
}

void census_leave(struct neighbours *neighbours) {
  if (neighbours == NULL || --neighbours->count > 0) return;
  struct neighbours **link = slot_of(neighbours->hash);
  while (*link != neighbours) link = &(*link)->next;
  *link = neighbours->next;
  census.used--;
  free(neighbours);
}

unsigned census_count(const struct neighbours *neighbours) {
  return neighbours->count;
}
