/* fiber.c - two contexts of ucontext.h, ours and the body's; one of them runs.
 * A sanitizer has to be told whenever the stack changes. */
#include "cli/repl/editor/fiber.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <ucontext.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

enum { STACK_SIZE = 256 * 1024 };

struct fiber {
  ucontext_t outside, inside;
  void (*body)(void *data);
  void *data;
  const void *stack; /* of whoever entered it; for the sanitizer */
  size_t stack_size;
  char memory[];
};

static struct fiber *starting; /* makecontext passes no pointers */

#ifdef __SANITIZE_ADDRESS__

static void change(ucontext_t *from, ucontext_t *to, const void *stack,
                   size_t size) {
  void *fake;
  __sanitizer_start_switch_fiber(&fake, stack, size);
  swapcontext(from, to);
  __sanitizer_finish_switch_fiber(fake, NULL, NULL);
}

static void arrive(struct fiber *fiber) {
  __sanitizer_finish_switch_fiber(NULL, &fiber->stack, &fiber->stack_size);
}

#else

static void change(ucontext_t *from, ucontext_t *to, const void *stack,
                   size_t size) {
  (void)stack, (void)size;
  swapcontext(from, to);
}

static void arrive(struct fiber *fiber) {
  (void)fiber;
}

#endif

static void begin(void) {
  struct fiber *fiber = starting;
  arrive(fiber);
  fiber->body(fiber->data);
  abort(); /* see fiber_new */
}

static bool prepare(struct fiber *fiber) {
  if (getcontext(&fiber->inside) != 0) return false;
  fiber->inside.uc_stack.ss_sp = fiber->memory;
  fiber->inside.uc_stack.ss_size = STACK_SIZE;
  fiber->inside.uc_link = NULL;
  makecontext(&fiber->inside, begin, 0);
  return true;
}

struct fiber *fiber_new(void (*body)(void *data), void *data) {
  struct fiber *fiber = malloc(sizeof *fiber + STACK_SIZE);
  if (fiber == NULL) return NULL;
  fiber->body = body;
  fiber->data = data;
  if (prepare(fiber)) return fiber;
  free(fiber);
  return NULL;
}

void fiber_enter(struct fiber *fiber) {
  starting = fiber;
  change(&fiber->outside, &fiber->inside, fiber->memory, STACK_SIZE);
}

void fiber_leave(struct fiber *fiber) {
  change(&fiber->inside, &fiber->outside, fiber->stack, fiber->stack_size);
}

void fiber_free(struct fiber *fiber) {
  free(fiber);
}
