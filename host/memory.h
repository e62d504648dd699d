/* memory.h - the memory of Lua values: small blocks are kept for the next one.
 *
 * A script makes and drops objects of the same few sizes all the time, the
 * collector frees them by the hundred. Keeping some of each size takes a
 * handful of instructions instead of malloc's and free's two hundred. */
#ifndef HOST_MEMORY_H
#define HOST_MEMORY_H

#include <stddef.h>

/* Objects, small tables, requests, not most strings: their sizes are odd. */
enum { MEMORY_UNIT = 8, MEMORY_LARGEST = 2048, MEMORY_KEPT_MOST = 1 << 20 };

struct memory { /* all zero: nothing is kept */
  struct block *kept[MEMORY_LARGEST / MEMORY_UNIT + 1]; /* by size */
  size_t size;                                          /* of them all */
};

/* A lua_Alloc, `data` is the struct memory. Every block is one of malloc's of
 * exactly its size, so that other allocators may free it, and it theirs. */
void *memory_allocate(void *data, void *block, size_t old, size_t size);
void memory_trim(struct memory *memory); /* keeps nothing any more */

#endif
