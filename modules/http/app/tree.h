/* tree.h - the paths that a router knows, as a tree of their segments.
 *
 * In a pattern, as "/tea/:kind", `:name` stands for a segment that is not empty,
 * `*name`, at its end, for all that is left. A literal goes before
 * `:name`, that before `*name`, that before what is mounted further up; where the
 * better way leads nowhere the next one is tried. A lookup visits no node twice,
 * and where no parameters compete takes a step for each segment, however many
 * patterns there are. No Lua, no libuv. */
#ifndef HTTP_APP_TREE_H
#define HTTP_APP_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tree;

/* Methods are those of llhttp, and two that stand for others. */
enum { TREE_ANY = 62, TREE_MOUNT = 63, TREE_METHODS = 64 };
enum { TREE_SEGMENT = 256 }; /* bytes of a literal, at most */

struct tree_match {
  int route;   /* its number, 0: there is none */
  size_t rest; /* of a mount: where in the path what is left begins */
  bool mounted;
};

struct tree *tree_new(void); /* NULL: no memory */
void tree_free(struct tree *tree);
/* Why this is no pattern, or NULL. */
const char *tree_fault(const char *pattern, size_t size);
/* Where the number of a pattern's route for this method is to be put, 0 while
 * there is none: the pattern is one. NULL: no memory. It stays valid until the
 * next call. "" is the root itself, for a mount. */
int *tree_slot(struct tree *tree, const char *pattern, size_t size,
               unsigned method);
struct tree_match tree_find(const struct tree *tree, const char *path,
                            size_t size, unsigned method);
/* The methods that have a route for this path, a bit for each. */
uint64_t tree_methods(const struct tree *tree, const char *path, size_t size);

#endif
