/* tree.c - jansson's memory, which it believes never to run out.
 *
 * Its lexer does not look whether a byte could be kept, and then reads behind the
 * end of what it has, or ends the program (2.14: load.c, lex_save). So it is not
 * told: where there is no memory reading is left by a jump, and all blocks that
 * it has taken are freed. For that they are in a ring. The memory is Lua's. */
#include "modules/json/tree.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdint.h>

struct link {
  struct link *before, *after;
};

struct block {
  struct link link;
  size_t size;
  void *bytes[];
};

/* Lua's: a program has one state. */
static lua_Alloc alloc;
static void *alloc_data;

struct load {
  struct link ring; /* of what it has taken */
  jmp_buf out;
};

/* No Lua runs meanwhile, so there is one at most. */
static struct load *load;

static void *allocate(size_t size) {
  struct block *block = NULL;
  if (size <= SIZE_MAX / 2)
    block = alloc(alloc_data, NULL, 0, sizeof *block + size);
  if (block == NULL) longjmp(load->out, 1);
  struct link *ring = &load->ring;
  block->link = (struct link){ring->before, ring};
  block->size = sizeof *block + size;
  ring->before = ring->before->after = &block->link;
  return block->bytes;
}

static void leave_ring(struct link *link) {
  link->before->after = link->after;
  link->after->before = link->before;
}

static void free_block(struct block *block) {
  leave_ring(&block->link);
  alloc(alloc_data, block, block->size, 0);
}

static void release(void *bytes) {
  if (bytes != NULL)
    free_block((struct block *)((char *)bytes - offsetof(struct block, bytes)));
}

void tree_init(lua_State *L) {
  alloc = lua_getallocf(L, &alloc_data);
  json_set_alloc_funcs(allocate, release);
}

static json_t *load_or_jump(struct load *in, const char *text, size_t size,
                            size_t flags, json_error_t *error) {
  if (setjmp(in->out) == 0) return json_loadb(text, size, flags, error);
  while (in->ring.after != &in->ring)
    free_block((struct block *)in->ring.after);
  *error = (json_error_t){0};
  return NULL;
}

json_t *tree_load(const char *text, size_t size, size_t flags,
                  json_error_t *error) {
  struct load in = {.ring = {&in.ring, &in.ring}};
  load = &in;
  json_t *root = load_or_jump(&in, text, size, flags, error);
  load = NULL;
  leave_ring(&in.ring); /* what is left is freed block by block */
  return root;
}
