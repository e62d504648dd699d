/* slabs.c - slabs, each larger than the one before. */
#include "host/slabs.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SLAB_LEAST = 1 << 14, SLAB_MOST = 1 << 19, SLAB_LARGE = 1 << 17 };

struct slab { /* the blocks begin a line later */
  struct slab *next;
};

struct free_block {
  struct free_block *next;
};

/* A million timers lie on 16,000 pages: a fault for each of them is a tenth of
 * what the timers cost. Where this is not known, or fails, faults it is. */
static void fetch_pages(void *memory, size_t size) {
#ifdef MADV_POPULATE_WRITE
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  uintptr_t start = ((uintptr_t)memory + page - 1) & ~(page - 1);
  madvise((void *)start, size - page, MADV_POPULATE_WRITE);
#else
  (void)memory, (void)size;
#endif
}

static bool add_slab(struct slabs *slabs) {
  size_t size = slabs->size * 2;
  if (size < SLAB_LEAST) size = SLAB_LEAST;
  if (size > SLAB_MOST) size = SLAB_MOST;
  struct slab *slab = aligned_alloc(SLABS_LINE, size);
  if (slab == NULL) return false;
  if (size >= SLAB_LARGE) fetch_pages(slab, size);
  size_t count = (size - SLABS_LINE) / slabs->block;
  slabs->size = size;
  slab->next = slabs->last;
  slabs->last = slab;
  slabs->fresh = (char *)slab + SLABS_LINE;
  slabs->limit = slabs->fresh + count * slabs->block;
  return true;
}

bool slabs_reserve(struct slabs *slabs) {
  return slabs->free != NULL || slabs->fresh < slabs->limit || add_slab(slabs);
}

void *slabs_take(struct slabs *slabs) {
  struct free_block *block = slabs->free;
  if (block != NULL) {
    slabs->free = block->next;
    return block;
  }
  void *fresh = slabs->fresh;
  slabs->fresh += slabs->block;
  return fresh;
}

void slabs_give(struct slabs *slabs, void *pointer) {
  struct free_block *block = pointer;
  block->next = slabs->free;
  slabs->free = block;
}

void slabs_free(struct slabs *slabs) {
  while (slabs->last != NULL) {
    struct slab *slab = slabs->last;
    slabs->last = slab->next;
    free(slab);
  }
}
