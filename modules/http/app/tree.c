/* tree.c - nodes in one array, which find each other by their numbers.
 *
 * The literal children of all nodes are in one table, by the number of their
 * parent and their name: so a step is a look into it, or two. */
#include "modules/http/app/tree.h"

#include <llhttp.h>
#include <stdlib.h>
#include <string.h>

#include "modules/http/values/percent.h"

struct route {
  unsigned method;
  int number;
  struct route *next;
};

struct node {
  unsigned named, rest; /* the children `:` and `*`, or 0 */
  struct route *routes;
};

struct literal {          /* a child by its name */
  unsigned parent, child; /* child 0: none */
  uint32_t hash;
  unsigned size;
  char *name;
};

struct tree {
  struct node *nodes; /* the first one is the root */
  unsigned count, capacity;
  struct literal *table; /* open addressing; at least half of it is free */
  unsigned literals, slots;
};

/* ---- its memory ---------------------------------------------------------- */

/* The number of a new node, or 0. */
static unsigned add_node(struct tree *tree) {
  if (tree->count == tree->capacity) {
    unsigned capacity = tree->capacity * 2 + 8;
    struct node *nodes = realloc(tree->nodes, capacity * sizeof *nodes);
    if (nodes == NULL) return 0;
    tree->nodes = nodes;
    tree->capacity = capacity;
  }
  tree->nodes[tree->count] = (struct node){0};
  return tree->count++;
}

struct tree *tree_new(void) {
  struct tree *tree = calloc(1, sizeof *tree);
  if (tree == NULL) return NULL;
  add_node(tree); /* the root is number 0 */
  if (tree->count == 1) return tree;
  free(tree);
  return NULL;
}

void tree_free(struct tree *tree) {
  if (tree == NULL) return;
  for (unsigned i = 0; i < tree->count; i++)
    for (struct route *r = tree->nodes[i].routes, *next; r != NULL; r = next) {
      next = r->next;
      free(r);
    }
  for (unsigned i = 0; i < tree->slots; i++) free(tree->table[i].name);
  free(tree->nodes);
  free(tree->table);
  free(tree);
}

/* ---- literal children ---------------------------------------------------- */

static uint32_t hash_of(unsigned parent, const char *name, size_t size) {
  uint32_t hash = 2166136261U ^ (parent * 0x9e3779b9U);
  for (size_t i = 0; i < size; i++)
    hash = (hash ^ (unsigned char)name[i]) * 16777619U;
  return hash;
}

static bool is_child(const struct literal *one, uint32_t hash, unsigned parent,
                     const char *name, size_t size) {
  return one->hash == hash && one->parent == parent && one->size == size &&
         memcmp(one->name, name, size) == 0;
}

/* Where it is, or would be. */
static struct literal *look(const struct tree *tree, uint32_t hash,
                            unsigned parent, const char *name, size_t size) {
  unsigned i = hash & (tree->slots - 1);
  while (tree->table[i].child != 0 &&
         !is_child(&tree->table[i], hash, parent, name, size))
    i = (i + 1) & (tree->slots - 1);
  return &tree->table[i];
}

static unsigned literal_child(const struct tree *tree, unsigned parent,
                              const char *name, size_t size) {
  if (tree->slots == 0) return 0;
  uint32_t hash = hash_of(parent, name, size);
  return look(tree, hash, parent, name, size)->child;
}

static bool grow(struct tree *tree) {
  struct tree bigger = {.slots = tree->slots > 0 ? 2 * tree->slots : 16};
  bigger.table = calloc(bigger.slots, sizeof *bigger.table);
  if (bigger.table == NULL) return false;
  for (unsigned i = 0; i < tree->slots; i++) {
    const struct literal *one = &tree->table[i];
    if (one->child == 0) continue;
    *look(&bigger, one->hash, one->parent, one->name, one->size) = *one;
  }
  free(tree->table);
  tree->table = bigger.table;
  tree->slots = bigger.slots;
  return true;
}

/* The child of that name, made where there is none; 0: no memory. */
static unsigned make_literal(struct tree *tree, unsigned parent,
                             const char *name, size_t size) {
  unsigned child = literal_child(tree, parent, name, size);
  if (child != 0) return child;
  if (tree->literals >= tree->slots / 2 && !grow(tree)) return 0;
  char *copy = malloc(size + 1);
  if (copy != NULL) child = add_node(tree);
  if (child == 0) {
    free(copy);
    return 0;
  }
  memcpy(copy, name, size);
  uint32_t hash = hash_of(parent, name, size);
  *look(tree, hash, parent, name, size) =
    (struct literal){parent, child, hash, (unsigned)size, copy};
  tree->literals++;
  return child;
}

/* ---- patterns ------------------------------------------------------------ */

/* The segment that begins behind the slash at `at`: its size. */
static size_t segment_size(const char *path, size_t size, size_t at) {
  const char *slash = memchr(path + at + 1, '/', size - at - 1);
  return (slash != NULL ? (size_t)(slash - path) : size) - at - 1;
}

static bool is_name(const char *text, size_t size) {
  for (size_t i = 0; i < size; i++) {
    char c = text[i];
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (!letter && (i == 0 || c < '0' || c > '9')) return false;
  }
  return size > 0;
}

static const char *segment_fault(const char *text, size_t size, bool is_last) {
  if (size >= TREE_SEGMENT) return "a segment of more than 255 bytes";
  bool is_named = size > 0 && (text[0] == ':' || text[0] == '*');
  if (!is_named) return NULL;
  if (size == 1) return "a parameter without a name";
  if (!is_name(text + 1, size - 1))
    return "the name of a parameter is of letters, digits and '_'";
  if (text[0] == '*' && !is_last) return "'*' can only be its end";
  return NULL;
}

/* Is the segment's name that of a parameter before it? (No pattern is long.) */
static bool is_repeated(const char *pattern, size_t end, size_t size) {
  const char *name = pattern + end + 2;
  for (size_t at = 0; at < end;) {
    size_t length = segment_size(pattern, end, at);
    if (length == size && pattern[at + 1] == ':' &&
        memcmp(pattern + at + 2, name, size - 1) == 0)
      return true;
    at += 1 + length;
  }
  return false;
}

const char *tree_fault(const char *pattern, size_t size) {
  if (size == 0 || pattern[0] != '/') return "it does not begin with '/'";
  for (size_t at = 0; at < size;) {
    size_t length = segment_size(pattern, size, at);
    const char *why =
      segment_fault(pattern + at + 1, length, at + 1 + length == size);
    if (why != NULL) return why;
    bool is_named = length > 0 && strchr(":*", pattern[at + 1]) != NULL;
    if (is_named && is_repeated(pattern, at, length))
      return "two parameters of one name";
    at += 1 + length;
  }
  return NULL;
}

/* The child for a segment of a pattern; 0: no memory. */
static unsigned make_child(struct tree *tree, unsigned parent,
                           const char *segment, size_t size) {
  char kind = size > 0 ? segment[0] : '\0';
  if (kind != ':' && kind != '*')
    return make_literal(tree, parent, segment, size);
  unsigned child =
    kind == ':' ? tree->nodes[parent].named : tree->nodes[parent].rest;
  if (child != 0) return child;
  child = add_node(tree);
  if (kind == ':')
    tree->nodes[parent].named = child;
  else
    tree->nodes[parent].rest = child;
  return child;
}

int *tree_slot(struct tree *tree, const char *pattern, size_t size,
               unsigned method) {
  unsigned at_node = 0;
  for (size_t at = 0; at < size;) {
    size_t length = segment_size(pattern, size, at);
    at_node = make_child(tree, at_node, pattern + at + 1, length);
    if (at_node == 0) return NULL;
    at += 1 + length;
  }
  struct route **list = &tree->nodes[at_node].routes;
  for (struct route *r = *list; r != NULL; r = r->next)
    if (r->method == method) return &r->number;
  struct route *route = malloc(sizeof *route);
  if (route == NULL) return NULL;
  *route = (struct route){method, 0, *list};
  *list = route;
  return &route->number;
}

/* ---- paths --------------------------------------------------------------- */

struct search {
  const struct tree *tree;
  const char *path;
  size_t size;
  unsigned method;
  struct tree_match match;
  uint64_t methods; /* that were met, where they are looked for */
};

static int route_number(const struct node *node, unsigned method) {
  int any = 0, get = 0;
  for (const struct route *r = node->routes; r != NULL; r = r->next) {
    if (r->method == method) return r->number;
    if (r->method == TREE_ANY) any = r->number;
    if (r->method == HTTP_GET && method == HTTP_HEAD) get = r->number;
  }
  return get != 0 ? get : any;
}

static void note_methods(struct search *search, const struct node *node) {
  for (const struct route *r = node->routes; r != NULL; r = r->next)
    if (r->method < TREE_ANY) search->methods |= 1ULL << r->method;
}

/* The path ends here, or all of it is taken. True: that is what was looked
 * for. */
static bool arrive(struct search *search, unsigned number) {
  const struct node *node = &search->tree->nodes[number];
  search->match.route = route_number(node, search->method);
  note_methods(search, node);
  return search->match.route != 0;
}

/* What is left from `at` on goes to what is mounted there. */
static bool mount(struct search *search, unsigned number, size_t at) {
  const struct node *node = &search->tree->nodes[number];
  for (const struct route *r = node->routes; r != NULL; r = r->next)
    if (r->method == TREE_MOUNT && r->number != 0) {
      search->match = (struct tree_match){r->number, at, true};
      return true;
    }
  return false;
}

static bool walk(struct search *search, unsigned number, size_t at);

static bool follow(struct search *search, unsigned number, size_t at) {
  if (at < search->size) return walk(search, number, at);
  return arrive(search, number) || mount(search, number, at);
}

/* The child whose name a segment is, decoded. */
static unsigned named_so(const struct search *search, unsigned number,
                         const char *segment, size_t size) {
  char decoded[3 * TREE_SEGMENT];
  if (size > sizeof decoded) return 0; /* no literal is as long */
  if (memchr(segment, '%', size) != NULL) {
    size = percent_decode(decoded, segment, size, false);
    segment = decoded;
  }
  return literal_child(search->tree, number, segment, size);
}

/* The path goes on with the slash at `at`. */
static bool walk(struct search *search, unsigned number, size_t at) {
  const struct node *node = &search->tree->nodes[number];
  size_t length = segment_size(search->path, search->size, at);
  const char *segment = search->path + at + 1;
  size_t next = at + 1 + length;
  unsigned child = named_so(search, number, segment, length);
  if (child != 0 && follow(search, child, next)) return true;
  if (node->named != 0 && length > 0 && follow(search, node->named, next))
    return true;
  if (node->rest != 0 && arrive(search, node->rest)) return true;
  return mount(search, number, at);
}

struct tree_match tree_find(const struct tree *tree, const char *path,
                            size_t size, unsigned method) {
  struct search search = {tree, path, size, method, {0}, 0};
  if (size > 0 && path[0] == '/' && walk(&search, 0, 0)) return search.match;
  return (struct tree_match){0};
}

/* All ways are gone: no route is for this method. */
uint64_t tree_methods(const struct tree *tree, const char *path, size_t size) {
  struct search search = {tree, path, size, TREE_METHODS, {0}, 0};
  if (size > 0 && path[0] == '/') walk(&search, 0, 0);
  return search.methods;
}
