/* SPDX-License-Identifier: Apache-2.0 */
/* simd -- one loop, compiled twice: for any amd64 and for one with AVX2 and FMA.
 *
 *	SIMD_BODY void add_body(int *sum, const short *in) { ...loop... }
 *	SIMD_AVX2 void add_avx2(int *sum, const short *in) { add_body(sum, in); }
 *	...
 *	if (SIMD_HAS_AVX2) add_avx2(sum, in); else add_body(sum, in);
 *
 * The test of the processor is a load and a branch; no ifunc, so every sanitizer and linker copes.
 */
#ifndef AUDIO_SIMD_H
#define AUDIO_SIMD_H

#define SIMD_BODY static inline __attribute__((always_inline))

/* A test builds the module with SIMD_PLAIN to run the other half of it. */
#if defined(__x86_64__) && !defined(SIMD_PLAIN)
#define SIMD_X86 1
#define SIMD_AVX2 __attribute__((target("avx2,fma"))) static
#define SIMD_HAS_AVX2 (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
#else
#define SIMD_X86 0
#define SIMD_AVX2 __attribute__((unused)) static
#define SIMD_HAS_AVX2 0
#endif

#endif
