// OpenSSL 3, and as functions those of its macros that Swift does not see.
#pragma once
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rsa.h>
#include <openssl/srtp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

#define COPENSSL_INIT_OPTIONS \
    (OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_LOAD_SSL_STRINGS | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS)

static inline int COpenSSL_init(void) {
    return OPENSSL_init_ssl(COPENSSL_INIT_OPTIONS, NULL);
}

static inline int COpenSSL_CTX_set_version(SSL_CTX *ctx, int version) {
    return SSL_CTX_set_min_proto_version(ctx, version) && SSL_CTX_set_max_proto_version(ctx, version);
}

static inline void COpenSSL_CTX_set_preferences(SSL_CTX *ctx) {
    SSL_CTX_set_options(
        ctx, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
}

static inline int COpenSSL_CTX_set1_groups(SSL_CTX *ctx, const int *groups, int count) {
    return SSL_CTX_set1_groups(ctx, (int *)groups, count) == 1;
}

static inline int COpenSSL_CTX_set1_sigalgs_list(SSL_CTX *ctx, const char *list) {
    return SSL_CTX_set1_sigalgs_list(ctx, list) == 1;
}

static inline void COpenSSL_CTX_set_max_cert_list(SSL_CTX *ctx, long octets) {
    SSL_CTX_set_max_cert_list(ctx, octets);
}

static inline int COpenSSL_set_mtu(SSL *ssl, long mtu) {
    return SSL_set_mtu(ssl, mtu) != 0;
}

static inline void COpenSSL_BIO_set_retry_read(BIO *bio) {
    BIO_set_retry_read(bio);
}

static inline void COpenSSL_BIO_clear_retry_flags(BIO *bio) {
    BIO_clear_retry_flags(bio);
}

static inline EVP_PKEY *COpenSSL_generate_ec(const char *curve) {
    return EVP_EC_gen(curve);
}

static inline EVP_PKEY *COpenSSL_generate_rsa(size_t bits) {
    return EVP_RSA_gen(bits);
}

static inline EVP_PKEY *COpenSSL_generate_ed25519(void) {
    return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

static inline int COpenSSL_reason(unsigned long error) {
    return ERR_GET_REASON(error);
}

static inline int COpenSSL_is_out_of_memory(unsigned long error) {
    return ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE;
}

// TLS 1.2's pseudorandom function; a list of OSSL_PARAM points into what Swift passes for one call only.
static inline int COpenSSL_tls1_prf(
    EVP_KDF_CTX *context, const char *digest, const unsigned char *secret, size_t secret_length,
    const unsigned char *seed, size_t seed_length, unsigned char *output, size_t output_length) {
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, (void *)secret, secret_length),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, (void *)seed, seed_length),
        OSSL_PARAM_construct_end(),
    };
    return EVP_KDF_derive(context, output, output_length, parameters);
}

// Whether the processor has instructions for AES; a Raspberry Pi 4 has none.
static inline int COpenSSL_has_fast_aes(void) {
#if defined(__aarch64__)
    return (getauxval(AT_HWCAP) & HWCAP_AES) != 0;
#elif defined(__x86_64__)
    return __builtin_cpu_supports("aes") != 0;
#else
    return 0;
#endif
}
