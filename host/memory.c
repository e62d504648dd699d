/* memory.c - stacks of free blocks, one for each small size, before malloc. */
#include "host/memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct block { /* a free one */
  struct block *next;
};

/* Not 0: some C modules call lua_getallocf's function like realloc, and do not
 * say how large a block has been. */
static bool is_small(size_t size) {
  return size % MEMORY_UNIT == 0 && size - 1 < MEMORY_LARGEST;
}

static void *take(struct memory *memory, size_t size) {
  if (is_small(size)) {
    struct block **kept = &memory->kept[size / MEMORY_UNIT];
    struct block *block = *kept;
    if (block != NULL) {
      *kept = block->next;
      memory->size -= size;
      return block;
    }
  }
  void *block = malloc(size);
  if (block != NULL) return block;
  memory_trim(memory);
  return malloc(size);
}

static void give(struct memory *memory, void *pointer, size_t size) {
  struct block *block = pointer;
  if (block == NULL) return;
  if (!is_small(size) || memory->size + size > MEMORY_KEPT_MOST) {
    free(block);
    return;
  }
  block->next = memory->kept[size / MEMORY_UNIT];
  memory->kept[size / MEMORY_UNIT] = block;
  memory->size += size;
}

static void *resize(struct memory *memory, void *block, size_t old,
                    size_t size) {
  if (old == 0 || (!is_small(old) && !is_small(size)))
    return realloc(block, size);
  void *other = take(memory, size);
  if (other == NULL) return realloc(block, size); /* to shrink must not fail */
  memcpy(other, block, old < size ? old : size);
  give(memory, block, old);
  return other;
}

void *memory_allocate(void *data, void *block, size_t old, size_t size) {
  struct memory *memory = data;
  if (size == 0) {
    give(memory, block, old);
    return NULL;
  }
  if (block == NULL) return take(memory, size); /* `old` is the kind of value */
  return resize(memory, block, old, size);
}

void memory_trim(struct memory *memory) {
  for (int i = 0; i <= MEMORY_LARGEST / MEMORY_UNIT; i++) {
    while (memory->kept[i] != NULL) {
      struct block *block = memory->kept[i];
      memory->kept[i] = block->next;
      free(block);
    }
  }
  memory->size = 0;
}
