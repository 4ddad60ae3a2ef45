import Glibc
import Testing

@testable import BoxPanel

/// What is said of devices that are not there; Tests/Panel has those that are.
struct DeviceTests {
    @Test("no SPI device: the error names the line of config.txt")
    func noBus() throws {
        let error = #expect(throws: DeviceError.self) { _ = try SPIBus.open("/dev/spidev99.9", clock: 1_000_000) }
        #expect(error?.code == ENOENT)
        #expect(error?.description.contains("/dev/spidev99.9") == true)
        #expect(error?.description.contains("dtparam=spi=on") == true)
    }

    @Test("another device than an SPI device is refused, and closed again")
    func otherDevice() throws {
        let before = try openDescriptors()
        let error = #expect(throws: DeviceError.self) { _ = try SPIBus.open("/dev/null", clock: 1_000_000) }
        #expect(error?.code == ENOTTY)
        #expect(error?.description.contains("panel.spi") == true)
        #expect(try openDescriptors() == before)
    }

    @Test("an error says what failed, why, and what to do")
    func words() {
        let error = DeviceError("use the line KIBITZ_DC", code: EBUSY, advice: "Look at gpioinfo.")
        #expect(
            error.description == "cannot use the line KIBITZ_DC: Device or resource busy (error 16). Look at gpioinfo.")
        #expect(DeviceError("read", code: EIO).description == "cannot read: Input/output error (error 5).")
    }

    /// Those that lead to /dev/null; other tests open and close descriptors meanwhile.
    private func openDescriptors() throws -> Int {
        guard let folder = opendir("/proc/self/fd") else { throw Errno(code: errno) }
        defer { closedir(folder) }
        var count = 0
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            var target = [CChar](repeating: 0, count: 64)
            let length = readlink("/proc/self/fd/\(name)", &target, target.count)
            if length > 0,
                String(decoding: target[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self) == "/dev/null"
            {
                count += 1
            }
        }
        return count
    }

    private struct Errno: Error { let code: Int32 }
}
