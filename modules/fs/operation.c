/* operation.c - one after the other: who has the turn, and who has it next. */
#include <unistd.h>

#include "modules/fs/descriptor.h"
#include "modules/fs/file.h"

void *operation_push(lua_State *L, struct file *file,
                     const struct job_kind *kind, size_t size) {
  struct operation *operation = job_push(L, kind, size);
  operation->file = file;
  handle_use(&file->handle);
  return operation;
}

void operation_free(struct job *job) {
  struct operation *operation = (struct operation *)job;
  if (operation->file != NULL) handle_leave(&operation->file->handle);
}

/* ---- turns --------------------------------------------------------------- */

static struct turn *turn_of(struct file *file, int turn) {
  if (turn == FILE_NO_TURN) return NULL;
  return &file->turns[file->seeks ? FILE_TURN : turn];
}

bool operation_is_free(const struct file *file, int turn) {
  return file->turns[file->seeks ? FILE_TURN : turn].first == NULL;
}

static void join(struct operation *operation, struct turn *turn) {
  operation->turn = turn;
  operation->link = turn->last;
  *turn->last = operation;
  turn->last = &operation->next;
}

/* And the next one begins. */
static void leave(struct operation *operation) {
  struct turn *turn = operation->turn;
  *operation->link = operation->next;
  if (operation->next != NULL)
    operation->next->link = operation->link;
  else
    turn->last = operation->link;
  if (turn->first != NULL && turn->first->job.pending && !turn->ends)
    job_begin(&turn->first->job);
}

void operation_done(struct job *job) {
  struct operation *operation = (struct operation *)job;
  struct file *file = operation->file;
  file->operations--;
  if (operation->turn != NULL) leave(operation);
  file_close_if_idle(file);
}

int operation_fail(lua_State *L, struct operation *operation, int callback,
                   int status) {
  struct task *task = wait_begin(L, &operation->job.kind->wait, callback);
  return wait_fail(L, task, status);
}

int operation_start(lua_State *L, struct operation *operation, int turn,
                    int callback, int64_t limit_ms) {
  struct file *file = operation->file;
  struct turn *place = turn_of(file, turn);
  if (file->handle.closing) /* by the host: the script may not know */
    return operation_fail(L, operation, callback, UV_ECANCELED);
  struct task *task = job_wait(L, &operation->job, callback);
  file->operations++;
  if (place != NULL) join(operation, place);
  if (place == NULL || place->first == operation) job_begin(&operation->job);
  return wait_park(L, task, &operation->job.waiter, limit_ms);
}

/* One that has not begun has left when it is cancelled; there may be any number
 * of them. */
static void cancel_turn(struct turn *turn) {
  turn->ends = true;
  for (struct operation *next, *one = turn->first; one != NULL; one = next) {
    next = one->next;
    job_cancel(&one->job);
  }
  turn->ends = false;
}

void operation_cancel_all(struct file *file) {
  for (int i = 0; i < 2; i++) cancel_turn(&file->turns[i]);
}

/* ---- for the threads ----------------------------------------------------- */

int file_drop_inbox(struct file *file) {
  if (!file->seeks) return 0; /* a read may go on beside it */
  off_t ahead = (off_t)file->inbox.size;
  file->stale = false;
  if (ahead == 0) return 0;
  inbox_free(&file->inbox);
  return lseek(file->fd, -ahead, SEEK_CUR) < 0 ? descriptor_status() : 0;
}
