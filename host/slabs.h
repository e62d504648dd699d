/* slabs.h - memory for many blocks of one size, given back in any order.
 *
 * Slabs live as long as the host: a block can be looked at after it has been
 * given back. All of it but its first word is then as it was. */
#ifndef HOST_SLABS_H
#define HOST_SLABS_H

#include <stdbool.h>
#include <stddef.h>

enum { SLABS_LINE = 64 }; /* of a cache: each block begins at such a place */

struct slabs {  /* all zero but for `block` */
  size_t block; /* a multiple of SLABS_LINE */
  struct free_block *free;
  char *fresh, *limit; /* never used: what is left of the last slab */
  struct slab *last;
  size_t size; /* of the last one */
};

bool slabs_reserve(struct slabs *slabs); /* false: no memory for one more */
void *slabs_take(struct slabs *slabs);   /* what was reserved, not cleared */
void slabs_give(struct slabs *slabs, void *block);
void slabs_free(struct slabs *slabs);

#endif
