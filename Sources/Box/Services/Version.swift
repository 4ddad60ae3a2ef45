/// The version of the box's software, as `status`, the page and the logs show it.
public let boxVersion = "0.1.0"
