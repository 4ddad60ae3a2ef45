import CGPIOD
import Glibc

extension GPIOLineName {
    /// Who uses the line now.
    /// - Returns: a program's or the kernel's name for itself; nil: nobody.
    /// - Throws: ENOENT: no chip has a line of that name; EACCES: the chips may not be opened.
    public func user() throws(DeviceError) -> String? {
        // The kernel's names have up to 32 octets (linux/gpio.h, GPIO_MAX_NAME_SIZE).
        var user = [CChar](repeating: 0, count: 40)
        guard CGPIOD_user(rawValue, &user, user.count) == 0 else {
            throw DeviceError("look at the line \(rawValue)", code: errno)
        }
        let name = String(decoding: user.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return name.isEmpty ? nil : name
    }
}
