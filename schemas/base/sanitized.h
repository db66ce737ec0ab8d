// schemas/base/sanitized.h: whether a sanitizer watches this program. GCC and Clang each say it in their own way.
#pragma once

// Clang has a macro that other compilers do not know, and that cannot stand beside one of theirs in a condition.
#ifdef __has_feature
#define REGISTRY_HAS_FEATURE(feature) __has_feature(feature)
#else
#define REGISTRY_HAS_FEATURE(feature) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || REGISTRY_HAS_FEATURE(address_sanitizer)
#define REGISTRY_ADDRESS_SANITIZED 1
#else
#define REGISTRY_ADDRESS_SANITIZED 0
#endif

#if defined(__SANITIZE_THREAD__) || REGISTRY_HAS_FEATURE(thread_sanitizer)
#define REGISTRY_THREAD_SANITIZED 1
#else
#define REGISTRY_THREAD_SANITIZED 0
#endif
