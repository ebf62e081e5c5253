// Where a number is from, as far as the number itself says: the province of a Chinese landline, the country of one from
// abroad. A mobile's says nothing: numbers move with people, and who got which block is in no rule.

import { language } from "/words.js";

/** Province (ISO 3166-2:CN) by the digits after +86. The longest that fits is meant. */
const AREAS = {
  BJ: "10", SH: "21", TJ: "22", CQ: "23", HE: "31 33", SX: "34 35", HA: "37 39", LN: "24 41 42", JL: "43 44", HL: "45 46", NM: "47 48",
  JS: "25 51 52", SD: "53 54 63", AH: "55 56", ZJ: "57 58", FJ: "59", GD: "20 66 75 76", YN: "69 87 88", JX: "70 79", HB: "27 71 72",
  HN: "73 74", GX: "77", SC: "28 81 82 83", GZ: "85", XZ: "89", HI: "898", SN: "29 91", GS: "93 94", NX: "95", QH: "97", XJ: "90 99",
};
const PROVINCES = {
  BJ: ["北京", "Beijing"], SH: ["上海", "Shanghai"], TJ: ["天津", "Tianjin"], CQ: ["重庆", "Chongqing"], HE: ["河北", "Hebei"],
  SX: ["山西", "Shanxi"], HA: ["河南", "Henan"], LN: ["辽宁", "Liaoning"], JL: ["吉林", "Jilin"], HL: ["黑龙江", "Heilongjiang"],
  NM: ["内蒙古", "Inner Mongolia"], JS: ["江苏", "Jiangsu"], SD: ["山东", "Shandong"], AH: ["安徽", "Anhui"], ZJ: ["浙江", "Zhejiang"],
  FJ: ["福建", "Fujian"], GD: ["广东", "Guangdong"], YN: ["云南", "Yunnan"], JX: ["江西", "Jiangxi"], HB: ["湖北", "Hubei"],
  HN: ["湖南", "Hunan"], GX: ["广西", "Guangxi"], SC: ["四川", "Sichuan"], GZ: ["贵州", "Guizhou"], XZ: ["西藏", "Tibet"],
  HI: ["海南", "Hainan"], SN: ["陕西", "Shaanxi"], GS: ["甘肃", "Gansu"], NX: ["宁夏", "Ningxia"], QH: ["青海", "Qinghai"],
  XJ: ["新疆", "Xinjiang"],
};
/** Countries by calling code (ITU-T E.164): those that citizens and their guests call from; others show their number alone. */
const COUNTRIES = {
  1: "021", 7: "RU", 20: "EG", 27: "ZA", 30: "GR", 31: "NL", 32: "BE", 33: "FR", 34: "ES", 36: "HU", 39: "IT", 40: "RO", 41: "CH", 43: "AT",
  44: "GB", 45: "DK", 46: "SE", 47: "NO", 48: "PL", 49: "DE", 51: "PE", 52: "MX", 54: "AR", 55: "BR", 56: "CL", 57: "CO", 60: "MY",
  61: "AU", 62: "ID", 63: "PH", 64: "NZ", 65: "SG", 66: "TH", 81: "JP", 82: "KR", 84: "VN", 90: "TR", 91: "IN", 92: "PK", 94: "LK",
  95: "MM", 98: "IR", 212: "MA", 213: "DZ", 234: "NG", 251: "ET", 254: "KE", 351: "PT", 353: "IE", 358: "FI", 380: "UA", 420: "CZ",
  850: "KP", 852: "HK", 853: "MO", 855: "KH", 856: "LA", 880: "BD", 886: "TW", 966: "SA", 971: "AE", 972: "IL", 976: "MN", 977: "NP",
  992: "TJ", 996: "KG", 998: "UZ",
};

/** For people; "" where the number does not say. */
export function region(number) {
  if (!/^\+\d{7,15}$/.test(number ?? "")) return "";
  const chinese = number.startsWith("+86") && number.slice(3);
  if (chinese) {
    if (/^1[3-9]/.test(chinese)) return language() === "en" ? "China, mobile" : "手机";
    const fits = Object.entries(AREAS).flatMap(([province, codes]) => codes.split(" ").map((code) => [code, province]));
    const [best] = fits.filter(([code]) => chinese.startsWith(code)).sort(([a], [b]) => b.length - a.length);
    return best ? PROVINCES[best[1]][language() === "en" ? 1 : 0] : "";
  }
  const country = [3, 2, 1].map((length) => COUNTRIES[number.slice(1, 1 + length)]).find(Boolean);
  return country ? new Intl.DisplayNames([language()], { type: "region" }).of(country) : "";
}

/** A Chinese number as people dial it, in groups; one from abroad as it is. */
export function readable(number) {
  if (!number?.startsWith("+86")) return number ?? "";
  const own = number.slice(3);
  if (/^1[3-9]\d{9}$/.test(own)) return `${own.slice(0, 3)} ${own.slice(3, 7)} ${own.slice(7)}`;
  const area = /^(10|2\d)/.test(own) ? 2 : 3;
  return `0${own.slice(0, area)} ${own.slice(area)}`;
}
