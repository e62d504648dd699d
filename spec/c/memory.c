/* memory.c - the allocator of Lua values: what is freed is used again, what it
 * held moves with it, and all of it is malloc's. */
#include "host/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static struct memory memory;

static void *get(size_t size) {
  void *block = memory_allocate(&memory, NULL, 0, size);
  assert(block != NULL);
  memset(block, (int)size, size);
  return block;
}

static void drop(void *block, size_t size) {
  assert(memory_allocate(&memory, block, size, 0) == NULL);
}

static void is_used_again(void) {
  void *a = get(48), *b = get(48), *c = get(56);
  drop(a, 48);
  drop(b, 48);
  drop(c, 56);
  assert(get(48) == b && get(56) == c && get(48) == a);
  drop(a, 48);
  drop(b, 48);
  drop(c, 56);
  memory_trim(&memory);
}

/* From every size to every other one, around what is kept. */
static void keeps_its_content(void) {
  static const size_t sizes[] = {1, 7, 8, 9, 64, 100, 248, 256, 257, 264, 5000};
  enum { COUNT = sizeof sizes / sizeof *sizes };
  for (int i = 0; i < COUNT; i++) {
    for (int j = 0; j < COUNT; j++) {
      size_t least = sizes[i] < sizes[j] ? sizes[i] : sizes[j];
      char *block = get(sizes[i]);
      block = memory_allocate(&memory, block, sizes[i], sizes[j]);
      for (size_t k = 0; k < least; k++) assert(block[k] == (char)sizes[i]);
      drop(block, sizes[j]);
    }
  }
  drop(NULL, 0);
  memory_trim(&memory);
}

static void is_bounded(void) {
  enum { BLOCKS = 100000, SIZE = 64 };
  static void *blocks[BLOCKS];
  for (int i = 0; i < BLOCKS; i++) blocks[i] = get(SIZE);
  for (int i = 0; i < BLOCKS; i++) drop(blocks[i], SIZE);
  assert(memory.size > 0 && memory.size <= MEMORY_KEPT_MOST);
  memory_trim(&memory);
  assert(memory.size == 0);
}

/* What malloc has given may be kept, and what is taken may be freed. */
static void is_mallocs(void) {
  void *block = malloc(32);
  drop(block, 32);
  block = get(32);
  free(block);
  memory_trim(&memory);
}

static void may_be_told_no_size(void) {
  char *block = get(48);
  memset(block, 'x', 48);
  block = memory_allocate(&memory, block, 0, 64);
  for (int i = 0; i < 48; i++) assert(block[i] == 'x');
  drop(block, 0);
  for (int i = 0; i <= MEMORY_LARGEST / MEMORY_UNIT; i++)
    assert(memory.kept[i] == NULL);
  assert(memory.size == 0);
}

int main(void) {
  is_used_again();
  keeps_its_content();
  is_bounded();
  is_mallocs();
  may_be_told_no_size();
  return 0;
}
