/*
 * A process that is killed at an exact place: a parent steps it, instruction by instruction, and kills it after so many.
 * Nothing in what is stepped knows of it. Single threads only: others that the victim has run as they like.
 */
#ifndef TESTS_SUPPORT_HARNESS_STEPPER_H
#define TESTS_SUPPORT_HARNESS_STEPPER_H

#include <stdbool.h>
#include <stdint.h>

/* What the victim does; it ends without any cleaning up. */
typedef struct stepper_path {
	void (*prepare)(void *user); /* at full speed; NULL: nothing */
	void (*walk)(void *user);    /* step by step */
	void *user;
} stepper_path;

/* Whether this process may trace its children at all: containers may refuse it. */
bool stepper_allowed(void);

/*
 * The glibc of this program copies and clears without instructions that repeat themselves, which would be a step for each
 * byte: starts the program anew if need be. First thing in main.
 */
void stepper_prepare(char **argv);

/* How long the walk is, and where in it the system is called. */
typedef struct stepper_trail {
	uint64_t instructions;
	uint32_t calls;
	uint64_t *behind; /* instructions up to the end of each call */
} stepper_trail;

/* Goes the walk to its end, at some 20 us an instruction. */
void stepper_explore(const stepper_path *path, stepper_trail *trail);
void stepper_trail_free(stepper_trail *trail);

/*
 * Kills after so many instructions of the walk, or at its end, and waits until all of the victim is gone. Runs up to the
 * last call of the system before that, and steps from there.
 */
void stepper_kill(const stepper_path *path, const stepper_trail *trail, uint64_t instructions);

#endif
