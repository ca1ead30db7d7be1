/*
 * A bad network: a relay on a free loopback port in front of a real HTTP server, which breaks the requests that a test
 * tells it to break, and hands on all others. One connection at a time, as an exporter makes them.
 */
#ifndef TESTS_SUPPORT_SERVERS_NET_FAULTS_H
#define TESTS_SUPPORT_SERVERS_NET_FAULTS_H

#include <stdbool.h>

typedef enum net_fault {
	NET_PASS,
	/* The server never sees these requests whole. */
	NET_RESET_AT_ONCE,
	NET_RESET_BEFORE_BODY,
	NET_RESET_IN_BODY,
	NET_BLACK_HOLE, /* nothing is read, nothing is said */
	NET_GARBAGE,    /* in the place of an answer */
	/* The server has them and has answered; the answer does not arrive. */
	NET_RESET_AFTER_BODY,
	NET_CLOSE_AFTER_BODY,
	NET_SILENCE_AFTER_BODY,
	NET_HALF_ANSWER, /* then a reset */
	NET_SLOW_ANSWER, /* a byte a second */
	/* Of a connection, before its first byte: for what is encrypted. */
	NET_STALL
} net_fault;

typedef struct net_faults net_faults;

/* `opaque`: whole connections are relayed, as they are, and only NET_STALL can be done to them. */
net_faults *net_faults_start(unsigned upstream_port, bool opaque);
unsigned net_faults_port(const net_faults *net);

/*
 * The next request gets the fault; the next connection, where they are opaque, and the one there is is cut for it. One at
 * a time: the last one must have been played.
 */
void net_faults_arm(net_faults *net, net_fault fault);

/* Faults played so far. */
unsigned net_faults_played(net_faults *net);

/* Requests so far which the server has, and whose answers were lost, or came so late that they may have been. */
unsigned net_faults_lost_answers(net_faults *net);

void net_faults_stop(net_faults *net);

#endif
