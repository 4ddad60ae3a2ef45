import WiFiCrypto

/// The bytes of hexadecimal digits.
func bytes(_ digits: String) -> [UInt8] {
    let digits = digits.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

/// A secret of hexadecimal digits.
func secret(_ digits: String) -> SecretBytes { SecretBytes(bytes(digits)) }
