/* routes.c - the tree of a router finds what one finds by hand: by looking at each
 * pattern, and taking the best. */
#include <assert.h>
#include <llhttp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "modules/http/app/tree.h"

enum { PATTERNS = 60, PATHS = 400, ROUNDS = 200, LENGTH = 64 };

struct rule {
  char pattern[LENGTH];
  bool mounted;
};

/* ---- by hand ------------------------------------------------------------- */

static size_t segment(const char *text) {
  return strcspn(text, "/");
}

/* What tells which one is better: a letter for each segment. "" is no match. */
static bool match(const struct rule *rule, const char *path, char *rank) {
  const char *pattern = rule->pattern;
  while (*pattern == '/' && *path == '/') {
    size_t wanted = segment(++pattern), found = segment(++path);
    if (*pattern == '*') {
      *rank++ = 'c', *rank = '\0';
      return true;
    }
    if (*pattern == ':') {
      if (found == 0) return false;
      *rank++ = 'b';
    } else if (wanted == found && memcmp(pattern, path, found) == 0) {
      *rank++ = 'a';
    } else {
      return false;
    }
    pattern += wanted, path += found;
  }
  if (rule->mounted) *rank++ = *path == '\0' ? 'b' : 'd';
  *rank = '\0';
  return *pattern == '\0' && (*path == '\0' || rule->mounted);
}

static int best(const struct rule *rules, int count, const char *path) {
  char least[LENGTH] = "~", rank[LENGTH];
  int found = 0;
  for (int i = 0; i < count; i++) {
    if (!match(&rules[i], path, rank)) continue;
    if (strcmp(rank, least) >= 0) continue;
    strcpy(least, rank);
    found = i + 1;
  }
  return found;
}

/* ---- at random ----------------------------------------------------------- */

static unsigned seed = 1;

static unsigned pick(unsigned below) {
  seed = seed * 1103515245 + 12345;
  return (seed >> 16) % below;
}

static void make(char *text, const char *const *words, unsigned count) {
  unsigned segments = 1 + pick(4);
  *text = '\0';
  for (unsigned i = 0; i < segments; i++) {
    strcat(text, "/");
    strcat(text, words[pick(count)]);
  }
}

static bool make_rule(struct rule *rule) {
  static const char *const words[] = {"", "a", "b", "cc", ":x", ":y", "*z"};
  make(rule->pattern, words, 7);
  rule->mounted = pick(8) == 0;
  if (rule->mounted && pick(4) == 0) rule->pattern[0] = '\0';
  size_t size = strlen(rule->pattern);
  bool ends = size > 0 && rule->pattern[size - 1] == '/';
  if (rule->mounted && (ends || strchr(rule->pattern, '*') != NULL))
    return false;
  return size == 0 || tree_fault(rule->pattern, size) == NULL;
}

static void check_round(void) {
  static const char *const words[] = {"", "a", "b", "cc", "d"};
  struct rule rules[PATTERNS];
  struct tree *tree = tree_new();
  int count = 0;
  while (count < PATTERNS) {
    struct rule *rule = &rules[count];
    if (!make_rule(rule)) continue;
    int *slot = tree_slot(tree, rule->pattern, strlen(rule->pattern),
                          rule->mounted ? TREE_MOUNT : HTTP_GET);
    assert(slot != NULL && *slot <= count);
    if (*slot == 0) *slot = count + 1;
    count++;
  }
  for (int i = 0; i < PATHS; i++) {
    char path[LENGTH];
    make(path, words, 5);
    struct tree_match found = tree_find(tree, path, strlen(path), HTTP_GET);
    int wanted = best(rules, count, path);
    if (found.route != wanted)
      fprintf(stderr, "%s: %s, not %s\n", path,
              found.route > 0 ? rules[found.route - 1].pattern : "-",
              wanted > 0 ? rules[wanted - 1].pattern : "-");
    assert(found.route == wanted);
    assert(found.route == 0 || found.mounted == rules[wanted - 1].mounted);
  }
  tree_free(tree);
}

/* ---- what no random pattern is ------------------------------------------- */

static void check_faults(void) {
  char segment_of_256[260] = "/";
  memset(segment_of_256 + 1, 'a', 256);
  const char *const bad[] = {"",      "a",     "/:",     "/*",          "/:1a",
                             "/*a/b", "/:a-b", "/:a/:a", segment_of_256};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert(tree_fault(bad[i], strlen(bad[i])) != NULL);
  assert(tree_fault(segment_of_256, 256) == NULL); /* 255 of them */
}

static void check_methods(void) {
  struct tree *tree = tree_new();
  *tree_slot(tree, "/a", 2, HTTP_GET) = 1;
  *tree_slot(tree, "/a", 2, HTTP_POST) = 2;
  *tree_slot(tree, "/:x", 3, HTTP_DELETE) = 3;
  assert(tree_find(tree, "/a", 2, HTTP_HEAD).route == 1);
  assert(tree_find(tree, "/a", 2, HTTP_DELETE).route == 3);
  assert(tree_find(tree, "/a", 2, HTTP_PUT).route == 0);
  assert(tree_methods(tree, "/a", 2) ==
         (1ULL << HTTP_GET | 1ULL << HTTP_POST | 1ULL << HTTP_DELETE));
  *tree_slot(tree, "/a", 2, TREE_ANY) = 4;
  assert(tree_find(tree, "/a", 2, HTTP_PUT).route == 4);
  assert(tree_find(tree, "/a", 2, HTTP_POST).route == 2);
  assert(tree_find(tree, "*", 1, HTTP_GET).route == 0);
  tree_free(tree);
}

static void check_escapes(void) {
  struct tree *tree = tree_new();
  *tree_slot(tree, "/caf\xc3\xa9/b", 8, HTTP_GET) = 1;
  assert(tree_find(tree, "/caf%C3%a9/%62", 14, HTTP_GET).route == 1);
  assert(tree_find(tree, "/caf\xc3\xa9%2fb", 10, HTTP_GET).route == 0);
  tree_free(tree);
}

int main(void) {
  for (int i = 0; i < ROUNDS; i++) check_round();
  check_faults();
  check_methods();
  check_escapes();
  return 0;
}
