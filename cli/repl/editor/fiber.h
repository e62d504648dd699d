/* fiber.h - a C function on a stack of its own, that can be left in the middle
 * and gone on with later: so a library that insists on blocking reads fits an
 * event loop. No Lua runs on that stack. */
#ifndef CLI_REPL_FIBER_H
#define CLI_REPL_FIBER_H

struct fiber;

/* `body` is called at the first fiber_enter, and never returns. NULL: no
 * memory. */
struct fiber *fiber_new(void (*body)(void *data), void *data);
void fiber_enter(struct fiber *fiber); /* until it leaves */
void fiber_leave(struct fiber *fiber); /* for the body: until it is entered */
/* It is dropped where it is. Not from inside. */
void fiber_free(struct fiber *fiber);

#endif
