/* main_task.h - the task that runs the program from its beginning.
 *
 * Each generation has one. It runs host->program.main, and when that returns,
 * or calls neap.ready(), the generation is ready. */
#ifndef HOST_MAIN_TASK_H
#define HOST_MAIN_TASK_H

struct generation;
struct task;

/* It runs also while the generation is being prepared. NULL without memory. */
struct task *main_task_start(struct generation *generation);

#endif
