// What people read, in both languages. Keys are the stable words of the gateway.

const ZH = {
  title: "话务工作台", agent: "工号", password: "密码", enter: "登录", leave: "退出", seat: "座席", language: "English",
  choose_seat: "选择座席", sign_in: "签入", sign_out: "签出", ready: "示闲", busy: "示忙", break: "小休", training: "培训",
  hang_up: "挂断", decline: "拒接", extend: "延长整理", to_queue: "转接队列", queue: "队列", waiting: "排队", longest: "最长等待",
  callbacks: "待回拨", queues: "我的队列", nobody_waits: "无人排队", no_call: "暂无来电", then: "之后",
  caller: "来电号码", withheld: "号码保密", called: "被叫", skill: "语种技能", waited: "已等待", talked: "通话时长", path: "来路",
  test: "测试电话", line: "线路", shortcuts: "快捷键", leader: "班长", ends_in: "剩余", serving: "正在整理的来电",
  connecting: "正在连接…", connected: "已连接", lost: "与热线的连接中断，正在重连…", unreachable: "座席话机未注册：请检查话机与网线",
  answer_on_phone: "请摘机接听", own_call: "座席正在使用自己的电话",
  state_logged_out: "未签入", state_ready: "空闲", state_reserved: "振铃", state_talking: "通话", state_hold: "保持",
  state_wrap_up: "话后整理", state_engaged: "外呼 / 咨询", state_not_ready: "示忙",
  reason_busy: "示忙", reason_break: "小休", reason_training: "培训", reason_no_answer: "未应答", reason_declined: "已拒接",
  reason_unreachable: "话机不可达", reason_forced: "班长强制",
  stage_waiting: "排队中", stage_ringing: "来电", stage_talking: "通话中", stage_held: "已保持", stage_passing: "转接中",
  stage_away: "已转出", stage_calling: "正在回拨市民",
  purpose_inbound: "来电", purpose_callback: "预约回拨", purpose_missed_call: "漏接回拨",
  ticket: "工单", ticket_waits: "工单正在生成…", ticket_none: "本次通话没有工单", earlier: "此前来电", earlier_none: "首次来电", in_30_days: "近30天",
  repeat: "可能为重复诉求", saved: "已保存", saving: "正在保存…", unsaved: "未保存：", changed_elsewhere: "工单已被他人修改，已重新载入",
  kind: "诉求类型", none: "未选择", title_field: "标题", content: "诉求内容", name: "市民姓名", callback_no: "回访电话", district: "区县",
  street: "街道", community: "社区", address: "地址", urgency: "紧急程度", confidential: "要求保密", answer: "答复内容", department: "承办单位",
  accept: "受理", answer_now: "直接办结", pass: "转交承办单位", hand_to_110: "转110", stage: "状态", note: "说明",
  kind_question: "咨询", kind_help: "求助", kind_complaint: "投诉", kind_report: "举报", kind_suggestion: "建议", kind_praise: "表扬", kind_other: "其他",
  urgency_normal: "一般", urgency_urgent: "紧急", urgency_critical: "特急",
  stage_draft: "待完善", stage_accepted: "已受理", stage_awaiting_dispatch: "待派遣", stage_dispatched: "已派遣", stage_signed_for: "已签收",
  stage_in_hand: "办理中", stage_settled: "已办结", stage_awaiting_callback: "待回访", stage_called_back: "已回访", stage_archived: "已归档",
  unable_wrong_password: "工号或密码不对", unable_too_many_guesses: "尝试过多，请在 {s} 秒后再试", unable_unavailable: "暂时不可用，请稍后再试",
  unable_unknown_agent: "名册中没有此工号", unable_not_signed_in: "请先签入", unable_not_their_day: "今日不在邀请时段内",
  unable_not_in_wrap_up: "现在不在话后整理", unable_signed_in_elsewhere: "已在另一座席签入，请先在那里签出",
  unable_seat_taken: "此座席已有人签入", unable_seat_unreachable: "座席话机未注册，不能示闲", unable_unknown_seat: "没有这个座席",
  unable_unknown_queue: "没有这个队列", unable_queue_full: "该队列已满，来电仍在您这里", unable_no_agents: "该队列没有可用话务员，来电仍在您这里",
  unable_no_call: "现在没有通话", unable_not_now: "现在不能这样做", unable_no_answer: "系统没有回应，请再试", unable_unknown_reason: "未知原因",
};

const EN = {
  title: "Agent desk", agent: "Agent number", password: "Password", enter: "Sign in", leave: "Leave", seat: "Seat", language: "中文",
  choose_seat: "Choose a seat", sign_in: "Log in at seat", sign_out: "Log out", ready: "Ready", busy: "Not ready", break: "Break",
  training: "Training", hang_up: "Hang up", decline: "Decline", extend: "More wrap-up", to_queue: "Transfer to queue", queue: "Queue",
  waiting: "Waiting", longest: "Longest wait", callbacks: "To call back", queues: "My queues", nobody_waits: "Nobody waits",
  no_call: "No call", then: "then", caller: "Caller", withheld: "Number withheld", called: "Called", skill: "Skill",
  waited: "Waited", talked: "Talk time", path: "Way here", test: "Test call", line: "Line", shortcuts: "Shortcuts", leader: "Shift leader",
  ends_in: "left", serving: "Wrapping up", connecting: "Connecting…", connected: "Connected",
  lost: "The connection to the hotline is lost; trying again…",
  unreachable: "The seat's phone is not registered: check the phone and its cable", answer_on_phone: "Pick up the phone",
  own_call: "The seat has a call of its own",
  state_logged_out: "Logged out", state_ready: "Ready", state_reserved: "Ringing", state_talking: "Talking", state_hold: "Hold",
  state_wrap_up: "Wrap-up", state_engaged: "Own call", state_not_ready: "Not ready",
  reason_busy: "Not ready", reason_break: "Break", reason_training: "Training", reason_no_answer: "Did not answer",
  reason_declined: "Declined", reason_unreachable: "Phone unreachable", reason_forced: "Set by the shift leader",
  stage_waiting: "In line", stage_ringing: "Incoming call", stage_talking: "Talking", stage_held: "On hold",
  stage_passing: "Being transferred", stage_away: "Transferred", stage_calling: "Calling the citizen back",
  purpose_inbound: "Inbound", purpose_callback: "Promised callback", purpose_missed_call: "Missed call",
  ticket: "Ticket", ticket_waits: "The ticket is being opened…", ticket_none: "This call has no ticket", earlier: "Earlier calls",
  earlier_none: "First call", in_30_days: "in 30 days", repeat: "May be about the same", saved: "Saved", saving: "Saving…", unsaved: "Not saved: ",
  changed_elsewhere: "Somebody else changed the ticket; it was loaded again", kind: "Kind", none: "None chosen", title_field: "Title",
  content: "Content", name: "Citizen's name", callback_no: "Number to call back", district: "District", street: "Street",
  community: "Community", address: "Address", urgency: "Urgency", confidential: "Confidential", answer: "Answer",
  department: "Department", accept: "Accept", answer_now: "Answered on the spot", pass: "Pass to the department", hand_to_110: "Hand to 110",
  stage: "Stage", note: "Note",
  kind_question: "Question", kind_help: "Request for help", kind_complaint: "Complaint", kind_report: "Report", kind_suggestion: "Suggestion",
  kind_praise: "Praise", kind_other: "Other", urgency_normal: "Normal", urgency_urgent: "Urgent", urgency_critical: "Critical",
  stage_draft: "To be filled in", stage_accepted: "Accepted", stage_awaiting_dispatch: "Awaiting dispatch", stage_dispatched: "Dispatched",
  stage_signed_for: "Signed for", stage_in_hand: "In hand", stage_settled: "Settled", stage_awaiting_callback: "Awaiting callback",
  stage_called_back: "Called back", stage_archived: "Archived",
  unable_wrong_password: "Wrong agent number or password", unable_too_many_guesses: "Too many tries: again in {s} s",
  unable_unavailable: "Not available now, try again later",
  unable_unknown_agent: "This agent is not on the roster", unable_not_signed_in: "Log in at a seat first",
  unable_not_their_day: "Not invited at this time", unable_not_in_wrap_up: "Not in wrap-up",
  unable_signed_in_elsewhere: "Logged in at another seat: log out there first", unable_seat_taken: "Somebody is logged in at this seat",
  unable_seat_unreachable: "The seat's phone is not registered", unable_unknown_seat: "There is no such seat",
  unable_unknown_queue: "There is no such queue", unable_queue_full: "That queue is full; the caller is still yours",
  unable_no_agents: "Nobody could answer there; the caller is still yours", unable_no_call: "There is no call now",
  unable_not_now: "Not possible now", unable_no_answer: "No answer from the system, try again", unable_unknown_reason: "Unknown reason",
};

const KEPT = "rexian-language";
let words = localStorage.getItem(KEPT) === "en" ? EN : ZH;

/** The word for a key; one that is missing shows its key, and a test finds it. */
export function t(key, values = {}) {
  let text = words[key] ?? key;
  for (const [name, value] of Object.entries(values)) text = text.replace(`{${name}}`, value);
  return text;
}

export function language() {
  return words === ZH ? "zh-CN" : "en";
}

export function switchLanguage() {
  words = words === ZH ? EN : ZH;
  localStorage.setItem(KEPT, words === EN ? "en" : "zh");
}

export const dictionaries = { ZH, EN };
