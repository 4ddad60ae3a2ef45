import COpenSSL

/// An object of OpenSSL's, freed with this value.
///
/// It may pass to another thread as any unique owner may. Those that threads share (certificate, key, context, algorithms)
/// are only read once they are made, and OpenSSL counts their references atomically.
struct Handle: ~Copyable, @unchecked Sendable {
    typealias Free = @convention(c) (OpaquePointer?) -> Void

    let pointer: OpaquePointer
    private let free: Free

    /// Takes what a function of OpenSSL answered.
    /// - Throws: `error` when it answered nothing.
    init(_ pointer: OpaquePointer?, _ free: Free, orThrow error: DTLSError) throws(DTLSError) {
        guard let pointer else {
            ERR_clear_error()
            throw error
        }
        self.pointer = pointer
        self.free = free
    }

    /// Takes what the function of this name answered.
    init(_ pointer: OpaquePointer?, _ free: Free, _ name: String) throws(DTLSError) {
        try self.init(pointer, free, orThrow: .libraryFailed(name))
    }

    deinit { free(pointer) }
}

/// Throws unless a function of OpenSSL answered 1, its sign of success.
func require(_ result: Int32, _ name: String) throws(DTLSError) {
    guard result != 1 else { return }
    ERR_clear_error()
    throw .libraryFailed(name)
}

/// Starts OpenSSL: without its configuration file, which could add providers and engines, and without the words of its
/// errors, which nobody reads. Nothing of it runs before the first identity is made.
func startLibrary() throws(DTLSError) {
    try require(COpenSSL_init(), "OPENSSL_init_ssl")
}

extension Handle {
    /// A BIO in memory, for texts.
    static func memory(holding text: String = "") throws(DTLSError) -> Handle {
        let bio = try Handle(BIO_new(BIO_s_mem()), { BIO_free($0) }, "BIO_new")
        var text = text
        let written = text.withUTF8 { BIO_write(bio.pointer, $0.baseAddress, Int32(clamping: $0.count)) }
        guard text.isEmpty || Int(written) == text.utf8.count else {
            ERR_clear_error()
            throw .libraryFailed("BIO_write")
        }
        return bio
    }

    /// What a BIO in memory holds.
    func text() -> String {
        var start: UnsafeMutablePointer<CChar>?
        let count = COpenSSL_BIO_get_mem_data(pointer, &start)
        return String(decoding: UnsafeRawBufferPointer(start: start, count: max(count, 0)), as: UTF8.self)
    }
}
