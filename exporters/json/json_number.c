#include "exporters/json/put.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Powers of ten that a double holds exactly. */
#define EXACT_POWERS 23
static const double powers[EXACT_POWERS] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
	                                     1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

/* ---- Integers ---------------------------------------------------------------------------------------------------- */

static const char pairs[] = "00010203040506070809101112131415161718192021222324"
			    "25262728293031323334353637383940414243444546474849"
			    "50515253545556575859606162636465666768697071727374"
			    "75767778798081828384858687888990919293949596979899";

/* Exactly eight digits. */
static uint8_t *
put_eight(uint8_t *at, uint32_t value)
{
	uint32_t high = value / 10000;
	uint32_t low = value % 10000;
	memcpy(at, pairs + 2 * (high / 100), 2);
	memcpy(at + 2, pairs + 2 * (high % 100), 2);
	memcpy(at + 4, pairs + 2 * (low / 100), 2);
	memcpy(at + 6, pairs + 2 * (low % 100), 2);
	return at + 8;
}

/* Up to eight digits, without leading zeros. */
static uint8_t *
put_head(uint8_t *at, uint32_t value)
{
	uint8_t digits[8];
	size_t begin = sizeof digits;
	while (value >= 100) {
		begin -= 2;
		memcpy(digits + begin, pairs + 2 * (value % 100), 2);
		value /= 100;
	}
	if (value >= 10) {
		begin -= 2;
		memcpy(digits + begin, pairs + 2 * value, 2);
	} else {
		digits[--begin] = (uint8_t)('0' + value);
	}
	return otlog__json_put_bytes(at, digits + begin, sizeof digits - begin);
}

uint8_t *
otlog__json_put_uint64(uint8_t *at, uint64_t value)
{
	const uint64_t eight = 100000000;
	if (value < eight)
		return put_head(at, (uint32_t)value);
	uint64_t high = value / eight;
	if (high < eight)
		return put_eight(put_head(at, (uint32_t)high), (uint32_t)(value % eight));
	at = put_head(at, (uint32_t)(high / eight));
	at = put_eight(at, (uint32_t)(high % eight));
	return put_eight(at, (uint32_t)(value % eight));
}

uint8_t *
otlog__json_put_int64(uint8_t *at, int64_t value)
{
	if (value >= 0)
		return otlog__json_put_uint64(at, (uint64_t)value);
	*at = '-';
	return otlog__json_put_uint64(at + 1, -(uint64_t)value);
}

/* ---- Doubles ----------------------------------------------------------------------------------------------------- */

/* digits × 10^exponent */
typedef struct decimal {
	uint64_t digits;
	int exponent;
} decimal;

/*
 * Digits over an exact power of ten: where both are exact, their quotient is what reading the decimal gives, and of at
 * most 15 digits no two decimals give the same double.
 */
static bool
try_scale(double value, int scale, decimal *out)
{
	uint64_t digits = (uint64_t)(value * powers[scale] + 0.5);
	*out = (decimal){ digits, -scale };
	return (double)digits / powers[scale] == value;
}

static uint64_t
bits_of(double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof bits);
	return bits;
}

/* The numbers that people write. `value` is positive. */
static bool
find_short(double value, decimal *out)
{
	if (value >= 1e15 || value < 1e-8)
		return false;
	if (value < 1e9 && try_scale(value, 6, out))
		return true;
	int power_of_two = (int)(bits_of(value) >> 52) - 1023;
	int power_of_ten =
	    (power_of_two * 1233 + 16 * 4096) / 4096 - 16; /* of value or one less; 1233 / 4096 = log10(2) */
	int scale = 14 - power_of_ten;                     /* gives 15 digits */
	if (scale >= EXACT_POWERS)
		scale = EXACT_POWERS - 1;
	if (scale > 0 && value * powers[scale] >= 1e15)
		scale--;
	return try_scale(value, scale, out);
}

static bool
reads_back(const decimal *decimal, double value)
{
	char text[OTLOG__JSON_NUMBER_ROOM]; /* without a point, which would be the locale's */
	snprintf(text, sizeof text, "%" PRIu64 "e%d", decimal->digits, decimal->exponent);
	return strtod(text, NULL) == value;
}

/* The nearest decimal of so many digits. */
static decimal
round_to(double value, int count)
{
	char text[40];
	decimal rounded = { .exponent = 1 - count };
	snprintf(text, sizeof text, "%.*e", count - 1, value);
	const char *at = text;
	for (; *at && *at != 'e'; at++)
		if (*at >= '0' && *at <= '9')
			rounded.digits = rounded.digits * 10 + (uint64_t)(*at - '0');
	if (*at)
		rounded.exponent += atoi(at + 1);
	return rounded;
}

/* Any positive number; 17 digits always read back. */
static decimal
find_any(double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof bits);
	bool few_bits = value < 2.2250738585072014e-308;         /* subnormal: may need fewer digits than 15 */
	bool power_of_two = !(bits & UINT64_C(0xfffffffffffff)); /* the next double below is nearer than that above */
	for (int count = few_bits ? 1 : 15; count < 17; count++) {
		decimal rounded = round_to(value, count);
		if (reads_back(&rounded, value))
			return rounded;
		rounded.digits++;
		if (power_of_two && reads_back(&rounded, value))
			return rounded;
	}
	return round_to(value, 17);
}

static uint8_t *
put_zeros(uint8_t *at, int count)
{
	for (; count > 0; count--)
		*at++ = '0';
	return at;
}

static uint8_t *
put_exponent(uint8_t *at, int exponent)
{
	*at++ = 'e';
	*at++ = exponent < 0 ? '-' : '+';
	unsigned size = (unsigned)abs(exponent);
	if (size < 10)
		*at++ = '0';
	return otlog__json_put_uint64(at, size);
}

static uint8_t *
put_decimal(uint8_t *at, decimal number)
{
	for (; number.digits % 10 == 0; number.exponent++)
		number.digits /= 10;
	uint8_t digits[OTLOG__JSON_NUMBER_ROOM];
	int count = (int)(otlog__json_put_uint64(digits, number.digits) - digits);
	int point = count + number.exponent; /* digits before the point */
	if (point > 16 || point < -3) {
		*at++ = digits[0];
		if (count > 1)
			*at++ = '.';
		at = otlog__json_put_bytes(at, digits + 1, (size_t)count - 1);
		return put_exponent(at, point - 1);
	}
	if (point <= 0) {
		at = put_zeros(OTLOG__JSON_PUT(at, "0."), -point);
		return otlog__json_put_bytes(at, digits, (size_t)count);
	}
	if (point >= count) {
		at = put_zeros(otlog__json_put_bytes(at, digits, (size_t)count), point - count);
		return OTLOG__JSON_PUT(at, ".0");
	}
	at = otlog__json_put_bytes(at, digits, (size_t)point);
	*at++ = '.';
	return otlog__json_put_bytes(at, digits + point, (size_t)(count - point));
}

uint8_t *
otlog__json_put_double(uint8_t *at, double value)
{
	if (isnan(value))
		return OTLOG__JSON_PUT(at, "\"NaN\"");
	if (isinf(value))
		return value < 0 ? OTLOG__JSON_PUT(at, "\"-Infinity\"") : OTLOG__JSON_PUT(at, "\"Infinity\"");
	if (signbit(value)) {
		*at++ = '-';
		value = -value;
	}
	if (value == 0)
		return OTLOG__JSON_PUT(at, "0.0");
	decimal number;
	return put_decimal(at, find_short(value, &number) ? number : find_any(value));
}
