/// The room page's files, as the executable carries them.
public enum Site {
    /// One file of the page.
    public struct File: Sendable {
        /// Path below the site's root, without a leading slash: `app/main.js`.
        public let path: String
        /// The file's bytes.
        public let bytes: [UInt8]
    }

    /// Every file, in the order of their paths. Reading this copies them out of the executable.
    public static func files() -> [File] {
        embedded.map { entry in
            let bytes = entry.content.withUTF8Buffer { buffer in
                entry.isText
                    ? Array(buffer)
                    : String(decoding: buffer, as: UTF8.self).unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
            }
            return File(path: entry.path.withUTF8Buffer { String(decoding: $0, as: UTF8.self) }, bytes: bytes)
        }
    }
}
